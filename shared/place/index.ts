export type { Ended, Place, PlaceCommand, Running } from "./place.ts";
