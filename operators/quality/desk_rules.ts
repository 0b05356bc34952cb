/** @module The desk's rules on rows, as SQL. */
import { ident, literals } from "../table/sql.ts";
import type { RowRuleParams } from "./params.ts";
import type { Parts, Scope } from "./rules.ts";

/** A rule of {@link ./desk_params.ts}. */
export type DeskRule = Extract<
  RowRuleParams,
  {
    rule:
      | "positive"
      | "non_negative"
      | "crossed"
      | "stale"
      | "spike"
      | "jump"
      | "reference"
      | "volume_vs_median"
      | "cross_vendor"
      | "extra_session"
      | "date_window"
      | "in_order"
      | "sum_check";
  }
>;

type Of<R extends DeskRule["rule"]> = Extract<DeskRule, { rule: R }>;

/** The SQL of a rule. */
export function deskParts(rule: DeskRule, scope: Scope): Parts {
  switch (rule.rule) {
    case "positive":
      return signParts(rule.columns, "<=", "above zero", scope);
    case "non_negative":
      return signParts(rule.columns, "<", "zero or above", scope);
    case "crossed":
      return {
        fails: `${scope.has(rule.bid)} ${rule.allowLocked ? ">" : ">="} ${scope.has(rule.ask)}`,
        columns: [rule.bid, rule.ask],
        reason: `${rule.bid} is ${rule.allowLocked ? "above" : "not below"} ${rule.ask}`,
      };
    case "stale":
      return staleParts(rule, scope);
    case "spike":
      return spikeParts(rule, scope);
    case "jump": {
      const name = scope.has(rule.column);
      return {
        fails: `abs(${name} - ${scope.window}) > ${rule.max}`,
        windows: { [scope.window]: `lag(${name}) ${over(rule, "", scope)}` },
        columns: [rule.column],
        reason: `${rule.column} is further than ${rule.max} from the one before`,
      };
    }
    case "reference":
      return {
        fails: `${scope.has(rule.column)}::VARCHAR IN (SELECT code FROM ${wrongCodes(rule)})`,
        columns: [rule.column],
        reason: `${rule.column} is no valid ${rule.kind}`,
      };
    case "volume_vs_median":
      return medianParts(rule, scope);
    case "cross_vendor":
      return vendorParts(rule, scope);
    case "extra_session":
      return {
        fails: `NOT list_contains(${literals(rule.dates)}, ${
          scope.has(rule.column)
        }::DATE::VARCHAR)`,
        columns: [rule.column],
        reason: `${rule.column} is no session`,
      };
    case "date_window":
      return dateParts(rule, scope);
    case "in_order":
      return {
        fails: rule.columns.slice(1)
          .map((name, i) => `coalesce(${scope.has(name)} < ${scope.has(rule.columns[i])}, false)`)
          .join(" OR "),
        columns: rule.columns,
        reason: `${rule.columns.join(", ")} do not follow each other`,
      };
    case "sum_check":
      return sumParts(rule, scope);
  }
}

/** Table of the codes that are wrong: see {@link ./references.ts}. */
export function wrongCodes({ column, kind }: { column: string; kind: string }): string {
  return ident(`_tw_wrong_${kind}_${column}`);
}

function signParts(
  columns: readonly string[],
  operator: string,
  what: string,
  scope: Scope,
): Parts {
  return {
    fails: columns.map((name) => `coalesce(${scope.has(name)} ${operator} 0, false)`).join(" OR "),
    columns: [...columns],
    reason: `${columns.join(" or ")} is not ${what}`,
  };
}

/** `OVER (…)` of a series, ordered, with these rows. */
function over(
  { by, order }: { by: readonly string[]; order: readonly string[] },
  rows: string,
  scope: Scope,
): string {
  const partition = by.length > 0 ? `PARTITION BY ${by.map(scope.has).join(", ")} ` : "";
  const ordered = [...order.map(scope.has), "_tw_source", "_tw_file", "_tw_row"].join(", ");
  return `OVER (${partition}ORDER BY ${ordered}${rows === "" ? "" : ` ROWS BETWEEN ${rows}`})`;
}

function staleParts(rule: Of<"stale">, scope: Scope): Parts {
  const name = scope.has(rule.column);
  const frame = over(rule, `${rule.after} PRECEDING AND CURRENT ROW`, scope);
  return {
    fails: scope.window,
    windows: {
      [scope.window]: `count(${name}) ${frame} > ${rule.after} AND min(${name}) ${frame} = ` +
        `max(${name}) ${frame}`,
    },
    columns: [rule.column],
    reason: `${rule.column} has not changed for ${rule.after} rows of its series`,
  };
}

function spikeParts(rule: Of<"spike">, scope: Scope): Parts {
  const name = `${scope.has(rule.column)}::DOUBLE`;
  const previous = `lag(${name}) ${over(rule, "", scope)}`;
  const change = `${scope.window}_return`;
  const before = over(rule, `${rule.window} PRECEDING AND 1 PRECEDING`, scope);
  return {
    // At least three returns before it, or there is nothing to compare with but the floor.
    fails: `abs(${change}) > greatest(coalesce(${scope.window} * ${rule.deviations}, 0), ` +
      `ln(1 + ${rule.min}::DOUBLE))`,
    inner: {
      [change]: `CASE WHEN ${name} > 0 AND ${previous} > 0 THEN ln(${name} / ${previous}) END`,
    },
    windows: {
      [scope.window]: `CASE WHEN count(${change}) ${before} >= 3 THEN mad(${change}) ${before} END`,
    },
    columns: [rule.column],
    reason:
      `${rule.column} moves by more than ${rule.deviations} median absolute deviations of the ` +
      `${rule.window} returns before, and by more than ${rule.min * 100} %`,
  };
}

function medianParts(rule: Of<"volume_vs_median">, scope: Scope): Parts {
  const name = `${scope.has(rule.column)}::DOUBLE`;
  const before = over(rule, `${rule.window} PRECEDING AND 1 PRECEDING`, scope);
  return {
    fails: `${name} < ${scope.window} * ${rule.min}::DOUBLE OR ` +
      `${name} > ${scope.window} * ${rule.max}::DOUBLE`,
    windows: {
      [scope.window]: `CASE WHEN count(${name}) ${before} >= 3 THEN median(${name}) ${before} END`,
    },
    columns: [rule.column],
    reason: `${rule.column} is not between ${rule.min} and ${rule.max} times the median of the ` +
      `${rule.window} rows before`,
  };
}

function vendorParts(rule: Of<"cross_vendor">, scope: Scope): Parts {
  const name = scope.has(rule.column);
  const frame = `OVER (PARTITION BY ${rule.by.map(scope.has).join(", ")})`;
  return {
    fails: `abs(${name}::DOUBLE - ${scope.window}) > greatest(${rule.tolerance}::DOUBLE, ` +
      `abs(${scope.window}) * ${rule.toleranceBp}::DOUBLE / 10000) * (1 + 1e-12)`,
    windows: {
      [scope.window]:
        `CASE WHEN count(${name}) ${frame} > 1 THEN median(${name}::DOUBLE) ${frame} END`,
    },
    columns: [rule.column],
    reason:
      `${rule.column} is further than ${rule.toleranceBp} basis points from the vendors' median`,
  };
}

function dateParts(rule: Of<"date_window">, scope: Scope): Parts {
  const name = scope.has(rule.column);
  const instant = (days: number) =>
    `'${
      new Date(scope.now.getTime() + days * 86_400_000).toISOString().replace(/[TZ]/g, " ").trim()
    }'` +
    `::TIMESTAMP`;
  const tests = [
    `${name}::TIMESTAMP > ${instant(rule.aheadDays)}`,
    ...(rule.behindDays === undefined ? [] : [`${name}::TIMESTAMP < ${instant(-rule.behindDays)}`]),
  ];
  return {
    fails: tests.join(" OR "),
    columns: [rule.column],
    reason: rule.behindDays === undefined
      ? `${rule.column} is more than ${rule.aheadDays} days ahead`
      : `${rule.column} is more than ${rule.aheadDays} days ahead or ${rule.behindDays} behind`,
  };
}

function sumParts(rule: Of<"sum_check">, scope: Scope): Parts {
  const [amount, opening, closing] = [rule.amount, rule.opening, rule.closing].map(scope.has);
  const frame = `OVER (PARTITION BY ${rule.by.map(scope.has).join(", ")})`;
  return {
    fails: `${opening} + ${scope.window} <> ${closing}`,
    windows: { [scope.window]: `sum(${amount}) ${frame}` },
    columns: [rule.amount, rule.opening, rule.closing],
    reason: `${rule.opening} and all ${rule.amount} of it do not add up to ${rule.closing}`,
  };
}
