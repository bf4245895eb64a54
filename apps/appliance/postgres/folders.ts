/** Where the cluster and its socket live. */

import { createHash } from "node:crypto"
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { Effect } from "effect"
import { type Account, barrier, chooseAccount, isWritable } from "./account.ts"
import { PostgresFault, permissionFault } from "./PostgresFault.ts"

export interface Folders {
  readonly account: Account
  /** The data folder of the appliance, resolved. */
  readonly data: string
  /** PGDATA, resolved. */
  readonly cluster: string
  /** Holds the unix socket; only the account (and root) may enter. */
  readonly socket: string
  /** Where a copy of the binaries may go: a folder that the account can enter. */
  readonly home: string
  /** The folder that keeps the account out of the data folder, when the cluster had to move elsewhere because of it. */
  readonly movedBecauseOf: string | undefined
}

export const port = 5432

/** `sun_path` holds 108 bytes, one for the end mark (unix(7)); the server also writes `.s.PGSQL.5432.lock` beside it. */
const longestSocketPath = 107

export const lockPath = (data: string) => join(data, "postgres.owner")
export const logPath = (data: string) => join(data, "postgres.log")

/** The socket folder of a cluster: the cluster's own when the path fits, else a short one derived from it. */
export const socketFolderOf = (cluster: string, base = tmpdir()): string =>
  Buffer.byteLength(join(cluster, `.s.PGSQL.${port}`)) <= longestSocketPath
    ? cluster
    : join(base, `flowlens-${createHash("sha256").update(cluster).digest("hex").slice(0, 16)}`)

/** Makes (or finds) the folders. A data folder that the account cannot reach gets its cluster in /var/lib, with a link to it. */
export const prepareFolders = (dataFolder: string): Effect.Effect<Folders, PostgresFault> =>
  Effect.try({
    try: () => {
      const wanted = resolve(dataFolder)
      mkdirSync(wanted, { recursive: true, mode: 0o755 })
      const data = realpathSync(wanted)
      if (!isWritable(data))
        throw permissionFault(`${data} is not writable`, `give it to the user that runs FlowLens: chown ${data}`)
      const link = join(data, "postgres")
      const account = chooseAccount(link)
      if (account === undefined) {
        throw permissionFault(
          "PostgreSQL cannot run as root and there is no system account for it",
          "add one: useradd --system flowlens"
        )
      }
      if (barrier(data, account) === data && account.switches) letThrough(data, account)
      const blocked = barrier(data, account)
      if (lstatSync(link, { throwIfNoEntry: false }) === undefined && blocked !== undefined) {
        if (!account.switches) throw permissionFault(`${blocked} cannot be entered`, `chmod u+x ${blocked}`)
        const elsewhere = mkdtempSync("/var/lib/flowlens-")
        chmodSync(elsewhere, 0o755)
        symlinkSync(join(elsewhere, "postgres"), link)
      }
      const cluster = resolveCluster(link)
      const home = dirname(cluster)
      mkdirSync(home, { recursive: true, mode: 0o755 })
      const stillBlocked = barrier(home, account)
      if (stillBlocked !== undefined) {
        throw permissionFault(`${account.name} cannot enter ${stillBlocked}`, `chmod o+x ${stillBlocked}`)
      }
      return {
        account,
        data,
        cluster,
        socket: ownedFolder(socketFolderOf(cluster), cluster, account),
        home,
        movedBecauseOf: home === data ? undefined : (blocked ?? data)
      }
    },
    catch: (cause) =>
      cause instanceof PostgresFault ? cause : fromErrno(cause as NodeJS.ErrnoException, `the data folder ${dataFolder}`)
  })

/** A data folder closed to others stays closed to them: only the account's group may pass (not list) it. */
const letThrough = (data: string, account: Account): void => {
  const stat = statSync(data)
  chownSync(data, stat.uid, account.gid)
  chmodSync(data, (stat.mode & 0o7707) | 0o010)
}

/** Follows a link to where the cluster is, or will be. */
const resolveCluster = (link: string): string => {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return link
  const target = resolve(dirname(link), readlinkSync(link))
  if (!existsSync(dirname(target))) {
    throw permissionFault(`${link} points to a folder that is gone`, `remove the link to start with an empty database: rm ${link}`)
  }
  return existsSync(target) ? realpathSync(target) : target
}

/** A short socket folder is in a place anybody may write to: it must be ours alone. */
const ownedFolder = (socket: string, cluster: string, account: Account): string => {
  if (socket === cluster) return socket
  mkdirSync(socket, { recursive: true, mode: 0o700 })
  const stat = lstatSync(socket)
  if (!stat.isDirectory() || (stat.uid !== account.uid && stat.uid !== (process.getuid?.() ?? 0))) {
    throw permissionFault(`${socket} belongs to somebody else`, `remove it, or set TMPDIR to a folder of your own`)
  }
  chmodSync(socket, 0o700)
  if (account.switches) chownSync(socket, account.uid, account.gid)
  return socket
}

export const fromErrno = (cause: NodeJS.ErrnoException, what: string): PostgresFault =>
  cause.code === "ENOSPC" || cause.code === "EDQUOT"
    ? new PostgresFault({
        reason: "disk-full",
        detail: `${what}: ${cause.message}`,
        hint: "free space on its file system and start again"
      })
    : permissionFault(`${what}: ${cause.message}`, "make it a folder that the user who runs FlowLens may write to")
