/** @module The triggers service: waits that hold no slot. */
export { type TriggersParts, type TriggersService, triggersService } from "./service.ts";
