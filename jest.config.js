/** Layers of tests, from fast to real. `npm test` runs them in this order. */
const layers = ["unit", "contract", "bundle", "cluster", "workflow"];

export default {
  testSequencer: "<rootDir>/test/longest-first.ts",
  // What waits for servers and programs takes as long as the machine is busy.
  testTimeout: 60_000,
  projects: layers.map((layer) => ({
    displayName: layer,
    rootDir: import.meta.dirname,
    testMatch: [`<rootDir>/test/${layer}/**/*.test.ts`],
    testEnvironment: "node",
    extensionsToTreatAsEsm: [".ts"],
    transform: {
      "\\.ts$": [
        "@swc/jest",
        {
          jsc: {
            parser: { syntax: "typescript" },
            target: "es2024",
            // Without it `with { type: "json" }` is dropped, and Node.js refuses the import.
            experimental: { keepImportAttributes: true },
          },
          module: { type: "es6" },
        },
      ],
    },
    modulePathIgnorePatterns: ["<rootDir>/lib/", "<rootDir>/dist/"],
  })),
  collectCoverageFrom: ["actions/**/*.ts", "shared/**/*.ts"],
  coverageProvider: "v8",
};
