/** @module Says that something in the dags folder may have changed. Only a hint: sweeps find the rest. */

/** Yields once or more often after each change below a folder; ends with the signal. */
export type FolderWatch = (dir: string, signal: AbortSignal) => AsyncIterable<unknown>;

/** Watch by the system's own means. Throws where it has none, or without the folder. */
export async function* watchFolder(dir: string, signal: AbortSignal): AsyncGenerator<unknown> {
  if (signal.aborted) return;
  const watcher = Deno.watchFs(dir, { recursive: true });
  const close = () => {
    try {
      watcher.close();
    } catch {
      // It is closed already.
    }
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    for await (const event of watcher) if (event.kind !== "access") yield event;
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
