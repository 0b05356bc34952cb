import { assertEquals } from "@std/assert";
import { toChildError } from "./child_error.ts";

class HttpError extends Error {}
class VendorDown extends HttpError {
  override name = "vendor.down";
  code = "E503";
}

Deno.test("toChildError() names the error's class and those that it extends", () => {
  const { name, code, classes } = toChildError(new VendorDown("closed"));
  assertEquals([name, code], ["vendor.down", "E503"]);
  assertEquals(classes, ["VendorDown", "HttpError", "Error"]);
  assertEquals(toChildError(new TypeError("x")).classes, ["TypeError", "Error"]);
  assertEquals(toChildError("no error at all").classes, undefined);
});
