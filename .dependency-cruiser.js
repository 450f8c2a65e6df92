import swcVisitor from "@swc/core/Visitor.js";

// The walker that the tool finds imports with does not know `using` yet, and gives up on a file
// that has one. It declares variables, and is walked like them.
const walker = (swcVisitor.Visitor ?? swcVisitor).prototype;
const { visitStatement } = walker;
walker.visitStatement = function (statement) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  return { ...statement, decls: this.visitVariableDeclarators(statement.decls) };
};

/**
 * The layers, as docs/architecture.md tells them: actions stand on nouns, nouns on libraries, and
 * every library that reaches outside has one door.
 */
const door = (name, folder, library) => ({
  name,
  comment: `Only ${folder} may use ${library}.`,
  severity: "error",
  from: { path: "^(actions|shared)/", pathNot: `^${folder}/` },
  to: { path: library },
});

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "actions-stand-alone",
      comment: "What two actions share belongs into a noun of shared/.",
      severity: "error",
      from: { path: "^actions/([^/]+)/" },
      to: { path: "^actions/", pathNot: "^actions/$1/" },
    },
    {
      name: "nouns-know-no-actions",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^actions/" },
    },
    {
      name: "nouns-know-no-runner",
      comment: "Nouns know nothing of GitHub Actions; only inputs that several actions share do.",
      severity: "error",
      from: { path: "^shared/", pathNot: "^shared/(action|backup-inputs)/" },
      to: { path: "^shared/action/" },
    },
    {
      name: "nouns-by-their-face-from-actions",
      comment: "A noun's index.ts is its whole public face.",
      severity: "error",
      from: { path: "^actions/" },
      to: { path: "^shared/[^/]+/", pathNot: "^shared/[^/]+/index\\.ts$" },
    },
    {
      name: "nouns-by-their-face-from-nouns",
      severity: "error",
      from: { path: "^shared/([^/]+)/" },
      to: { path: "^shared/[^/]+/", pathNot: ["^shared/$1/", "^shared/[^/]+/index\\.ts$"] },
    },
    {
      name: "product-knows-no-tests",
      severity: "error",
      from: { path: "^(actions|shared)/" },
      to: { path: "^(test|scripts|demo|examples)/" },
    },
    door("one-door-to-the-runner", "shared/action", "@actions/core"),
    door("one-door-to-programs", "shared/process", "^(node:)?child_process$|@actions/exec"),
    door("one-door-to-tools", "shared/tools", "@actions/tool-cache"),
    door("one-door-to-github", "shared/github", "@actions/github"),
    door("one-door-to-kubernetes", "shared/kubernetes", "@kubernetes/client-node"),
    {
      name: "no-generated-kubernetes-classes",
      comment: "The package's main entry pulls in 18 MB of generated classes.",
      severity: "error",
      from: { path: "^(actions|shared)/" },
      to: { path: "@kubernetes/client-node/dist/index\\.js$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    parser: "swc",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".json"],
    },
  },
};
