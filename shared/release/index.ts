export { HookWatch } from "./hook-watch.ts";
export { type Doing, type Hook, hooksOf, isHook, recordedHooks } from "./hooks.ts";
export { imagesOf, type RevisionImage } from "./images.ts";
export { type Ground, giveBack, leaveNote, type OwnOptions, own, ownedWorld } from "./own.ts";
export { type Restored, type RollBackOptions, rollBackTo } from "./roll-back.ts";
export { historyOf, noteProof, type ReleaseTools } from "./tools.ts";
export { asUserError, type Undone, type UndoOptions, undo, withUndo } from "./undo.ts";
