export type { Refused, Storage, StoredObject, WriteOptions, Written } from "./storage.ts";
