/**
 * @module Entry of a task's process. Arguments: the bundle's folder and the module in it.
 *
 * It has no token and no rights but those that it was started with; it ends when its supervisor does.
 */
import { Child } from "./child.ts";
import { openWire } from "./wire.ts";

const [bundleDir, entry] = Deno.args;
const escaped = encodeURI(`${bundleDir}/${entry}`).replace(/[?#]/g, encodeURIComponent);
const exit = Deno.exit;

const wire = await openWire();
if (wire) await new Child(wire, `file://${escaped}`).live();
exit(0);
