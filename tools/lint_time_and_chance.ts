/**
 * @module Lint plugin: time and chance come in by parameter; their only door is `src/base/`.
 * Benches and tools measure real time and may use it directly.
 */

/** Property reads that are banned, as `object.property`. */
const bannedMembers = new Set([
  "Date.now",
  "performance.now",
  "Math.random",
  "AbortSignal.timeout",
  "crypto.randomUUID",
  "Temporal.Now",
]);
/** Globals that are banned as callees. */
const bannedCalls = new Set(["setTimeout", "setInterval", "randomUUID"]);
/** Folders in which the rule is silent. */
const exempt = /\/(src\/base|bench|tools)\//;

function report(context: Deno.lint.RuleContext, node: Deno.lint.Node, what: string) {
  context.report({
    node,
    message: `"${what}" is used outside src/base`,
    hint: "Take a Clock, Random or Ids as a parameter",
  });
}

export default {
  name: "tidewheel",
  rules: {
    "time-and-chance": {
      create(context) {
        if (exempt.test(context.filename)) return {};
        return {
          MemberExpression(node) {
            if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
            const what = `${node.object.name}.${node.property.name}`;
            if (bannedMembers.has(what)) report(context, node, what);
          },
          CallExpression(node) {
            if (node.callee.type !== "Identifier") return;
            if (bannedCalls.has(node.callee.name)) report(context, node, node.callee.name);
          },
          NewExpression(node) {
            if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
            if (node.arguments.length === 0) report(context, node, "new Date()");
          },
          ImportDeclaration(node) {
            if (
              node.source.value === "node:timers" || node.source.value === "node:timers/promises"
            ) {
              report(context, node, String(node.source.value));
            }
          },
        };
      },
    },
  },
} satisfies Deno.lint.Plugin;
