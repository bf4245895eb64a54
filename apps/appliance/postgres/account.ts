/**
 * As whom the database runs. PostgreSQL refuses to run as root, so a FlowLens started as root hands it to an existing system
 * account; started as anybody else, the database runs as the same user.
 */
import { accessSync, constants, readFileSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"

export interface Account {
  readonly uid: number
  readonly gid: number
  readonly name: string
  /** True when processes must be started with another uid than ours. */
  readonly switches: boolean
}

/** In order of preference; the first two exist where FlowLens or a PostgreSQL was installed, the last everywhere. */
const candidates = ["flowlens", "postgres", "nobody"] as const

interface PasswdEntry {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const passwd = (path: string): ReadonlyArray<PasswdEntry> =>
  readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields.length >= 7)
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))

/**
 * The account for a cluster in `folder`. An existing cluster keeps its owner, so that a system account that appears later does not
 * orphan it. Undefined when root finds no account to step down to.
 */
export const chooseAccount = (
  folder: string,
  passwdPath = "/etc/passwd",
  ownUid = process.getuid?.() ?? 0
): Account | undefined => {
  if (ownUid !== 0) return { uid: ownUid, gid: process.getgid?.() ?? ownUid, name: `uid ${ownUid}`, switches: false }
  const entries = passwd(passwdPath)
  const owner = statSync(resolve(folder, "PG_VERSION"), { throwIfNoEntry: false })
  const chosen =
    owner !== undefined && owner.uid !== 0
      ? { name: entries.find((entry) => entry.uid === owner.uid)?.name ?? `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid }
      : candidates
          .map((name) => entries.find((entry) => entry.name === name && entry.uid !== 0))
          .find((entry) => entry !== undefined)
  return chosen === undefined ? undefined : { ...chosen, switches: true }
}

/** The first folder on the way to `path` (itself included) that the account cannot enter, by mode bits; undefined when it can. */
export const barrier = (path: string, account: Account): string | undefined => {
  const ancestors: Array<string> = []
  for (let at = resolve(path); ; at = dirname(at)) {
    ancestors.unshift(at)
    if (at === dirname(at)) break
  }
  return ancestors.find((folder) => {
    const stat = statSync(folder, { throwIfNoEntry: false })
    if (stat === undefined || !stat.isDirectory()) return false
    const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001
    return (stat.mode & bit) === 0
  })
}

/** Whether our own process may write there. */
export const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
