/** @module The verb versions: the versions of a DAG, and what one of them changed. */
import { CliError, type RestClient, segment } from "../client.ts";
import { type Output, printable, printJson, printTable } from "../print.ts";
import type { Page } from "../shapes.ts";
import type { Verb } from "../verb.ts";

interface VersionShape {
  version_number: number;
  bundle_version: string | null;
  created_at: string;
}

interface FieldShape {
  field: string;
  old: unknown;
  new: unknown;
}

/** What the API says of two versions. */
export interface DiffShape {
  dag_id: string;
  version_number: number;
  with: number;
  fields: FieldShape[];
  tasks_added: string[];
  tasks_removed: string[];
  tasks_changed: { task_id: string; fields: FieldShape[] }[];
  tasks_changed_total: number;
  files: { path: string; change: string; diff: string | null; no_diff: string | null }[] | null;
}

export const versions: Verb = {
  name: "versions",
  summary: "List the versions of a DAG; with --diff, say what one changed",
  arguments: [
    { name: "<dag>", doc: "The DAG" },
    { name: "[version]", doc: "--diff: this version; the newest one by default" },
    { name: "[with]", doc: "--diff: against this one; the one before by default" },
  ],
  options: [{ flags: "--diff", doc: "Tasks, fields and files that differ" }],
  async run({ api, output }, [dag, version, other], { diff }) {
    const path = `/api/v2/dags/${segment(dag)}/dagVersions`;
    if (!diff) {
      if (version !== undefined) {
        throw new CliError(`Cannot list versions of "${dag}" by number: --diff takes "${version}"`);
      }
      await list(api, output, path);
      return 0;
    }
    const number = version === undefined ? await newest(api, path) : numberOf(version);
    const answer = await api.get<DiffShape>(`${path}/${number}/diff`, {
      with: other === undefined ? undefined : numberOf(other),
    });
    if (output.json) printJson(output, answer);
    else output.out(diffText(answer));
    return 0;
  },
};

async function list(api: RestClient, output: Output, path: string) {
  const page = await api.get<Page<"dag_versions", VersionShape>>(path, {
    order_by: "-version_number",
    limit: 100,
  });
  printTable(output, page, page.dag_versions, {
    version: (row) => row.version_number,
    created: (row) => row.created_at,
    bundle: (row) => row.bundle_version?.slice(0, 12),
  });
}

async function newest(api: RestClient, path: string): Promise<number> {
  const page = await api.get<Page<"dag_versions", VersionShape>>(path, {
    order_by: "-version_number",
    limit: 1,
  });
  return page.dag_versions[0].version_number;
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliError(`Cannot compare version "${text}": a version is a number, such as 3`);
}

/** The diff for people. */
export function diffText(diff: DiffShape): string {
  const field = ({ field, old, new: now }: FieldShape) =>
    `${field}: ${JSON.stringify(old)} -> ${JSON.stringify(now)}`;
  const unseen = diff.tasks_changed_total - diff.tasks_changed.length;
  const lines = [
    `DAG ${diff.dag_id}: version ${diff.with} -> ${diff.version_number}`,
    ...diff.fields.map((each) => `~ ${field(each)}`),
    ...diff.tasks_added.map((id) => `+ task ${id}`),
    ...diff.tasks_removed.map((id) => `- task ${id}`),
    ...diff.tasks_changed.flatMap(({ task_id, fields }) => [
      `~ task ${task_id}`,
      ...fields.map((each) => `    ${field(each)}`),
    ]),
    ...(unseen > 0 ? [`~ ${unseen} more tasks`] : []),
    ...(diff.files ?? []).flatMap(({ path, change, diff, no_diff }) => [
      `${change} ${path}${no_diff ? ` (no diff: ${no_diff})` : ""}`,
      ...(diff ? [diff.trimEnd()] : []),
    ]),
    ...(diff.files === null ? ["files: a bundle of these versions is no longer stored"] : []),
  ];
  return printable(lines.join("\n")) + "\n";
}
