/**
 * @module Where the embedded server lives, and as whom it runs.
 *
 * PostgreSQL refuses to run as root. As an ordinary user all of it is below Tidewheel's home. As root
 * it runs as an unprivileged user; where that user cannot reach the home (a clone below /root, 0700)
 * the server lives in {@link systemDir}, and the home keeps a pointer to it.
 */
import { sha256 } from "../../base/hash.ts";
import { AppError, messageOf } from "../../model/errors.ts";

/** Home of embedded servers whose Tidewheel home an unprivileged user cannot reach. */
export const systemDir = "/var/lib/tidewheel";

/** A user of this machine. */
export interface OsUser {
  name: string;
  uid: number;
  gid: number;
}

/** Where the server lives. */
export interface Place {
  /** Folder with the binaries. */
  serverDir: string;
  /** Folder of this home's data, sockets and logs. */
  dir: string;
  /** Whom to run as; null: as ourselves. */
  user: OsUser | null;
}

/** Users to run as when we are root, best first; the last resort is any other of the machine. */
const preferredUsers = ["tidewheel", "postgres", "_postgres", "nobody"];

/** Decide on a place and make its folders. Throws UNAVAILABLE where there is none. */
export async function choosePlace(home: string, options: PlaceOptions = {}): Promise<Place> {
  await Deno.mkdir(home, { recursive: true });
  const real = await Deno.realPath(home);
  const user = (options.isRoot ?? Deno.uid() === 0) ? await unprivilegedUser(options) : null;
  const pointed = await readPointer(real);
  const dir = pointed ??
    (user && !await isReachable(real)
      ? await makeSystemPlace(real, options.systemDir ?? systemDir)
      : `${real}/postgres`);
  await makeDir(dir, user);
  const serverDir = dir.startsWith(`${real}/`) ? dir : dir.slice(0, dir.lastIndexOf("/"));
  return { serverDir, dir, user };
}

/** The place that `home` has already, or null; makes nothing. */
export async function knownPlace(home: string): Promise<Place | null> {
  const real = await Deno.realPath(home).catch(() => null);
  if (real === null) return null;
  const dir = await readPointer(real) ?? `${real}/postgres`;
  const there = await Deno.stat(dir).then(() => true, () => false);
  return there ? { serverDir: dir, dir, user: null } : null;
}

/** Options of {@link choosePlace}, for tests. */
export interface PlaceOptions {
  isRoot?: boolean;
  systemDir?: string;
  /** Text of /etc/passwd. */
  passwd?: string;
}

/** Give a file to the server's user, readable by it alone. */
export async function giveTo(user: OsUser | null, path: string, mode: number): Promise<void> {
  if (user) await Deno.chown(path, user.uid, user.gid);
  await Deno.chmod(path, mode);
}

async function unprivilegedUser({ passwd }: PlaceOptions): Promise<OsUser> {
  const text = passwd ?? await Deno.readTextFile("/etc/passwd").catch(() => "");
  const users = text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    return Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
  const user = preferredUsers.map((name) => users.find((user) => user.name === name))
    .find((user) => user !== undefined) ?? users[0];
  if (user) return user;
  throw new AppError(
    "UNAVAILABLE",
    "Cannot start the embedded PostgreSQL as root: /etc/passwd has no other user to run it as; " +
      "add one (useradd --system tidewheel), run Tidewheel as an ordinary user, or set " +
      "TIDEWHEEL_DATABASE_URL",
  );
}

/** May every user go through this folder and those above it? */
async function isReachable(path: string): Promise<boolean> {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    if (((await Deno.stat(at)).mode! & 0o001) === 0) return false;
  }
  return true;
}

async function readPointer(home: string): Promise<string | null> {
  const dir = await Deno.readTextFile(`${home}/postgres.path`).catch(() => null);
  return dir === null ? null : dir.trim();
}

/** A new folder for each new home at the same path: an old one is never taken over by accident. */
async function makeSystemPlace(home: string, root: string): Promise<string> {
  try {
    await Deno.mkdir(root, { recursive: true, mode: 0o755 });
    await Deno.chmod(root, 0o755);
  } catch (error) {
    throw new AppError(
      "UNAVAILABLE",
      `Cannot place the embedded PostgreSQL: it does not run as root, its user cannot reach ` +
        `${home}, and ${root} cannot be made (${
          messageOf(error)
        }); set TIDEWHEEL_HOME to a folder ` +
        "that every user may enter, or TIDEWHEEL_DATABASE_URL to use a server of your own",
    );
  }
  const dir = await Deno.makeTempDir({ dir: root, prefix: `${sha256(home).slice(0, 12)}-` });
  await Deno.writeTextFile(`${dir}/home`, `${home}\n`);
  await Deno.writeTextFile(`${home}/postgres.path`, `${dir}\n`);
  return dir;
}

async function makeDir(dir: string, user: OsUser | null): Promise<void> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o711 });
  await Deno.chmod(dir, 0o711);
  for (const part of ["run", "log"]) {
    await Deno.mkdir(`${dir}/${part}`, { recursive: true });
    await giveTo(user, `${dir}/${part}`, 0o700);
  }
}
