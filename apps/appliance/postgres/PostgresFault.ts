/** Why the embedded database does not run: one class, a reason a caller can act on, and advice that names what to do. */
import { Schema } from "effect"

export const PostgresFaultReason = Schema.Literals([
  /** No binaries for this machine, or they do not run on it. */
  "binaries",
  /** A folder or file that the database account cannot reach, read or write. */
  "permission",
  "disk-full",
  /** The data folder was written by another major version. */
  "version",
  /** Another FlowLens runs on this data folder. */
  "in-use",
  /** It started and went away, or never became ready; `detail` holds its last log lines. */
  "start"
])
export type PostgresFaultReason = typeof PostgresFaultReason.Type

export class PostgresFault extends Schema.TaggedError<PostgresFault>()("PostgresFault", {
  reason: PostgresFaultReason,
  /** What happened, one factual line (or the last lines of the log). */
  detail: Schema.String,
  /** What to do about it. */
  hint: Schema.String
}) {
  override get message() {
    return `could not run the embedded database: ${this.detail}; ${this.hint}`
  }
}

const otherDatabase = "or point FLOWLENS_DATABASE_URL at a PostgreSQL server (15 or later)"

export const permissionFault = (detail: string, hint: string) => new PostgresFault({ reason: "permission", detail, hint })

export const binariesFault = (detail: string) =>
  new PostgresFault({ reason: "binaries", detail, hint: `reinstall with npm ci ${otherDatabase}` })

/** Reads the reason off what initdb or postgres wrote before it gave up. */
export const faultFromLog = (what: string, log: string): PostgresFault => {
  const tail = log.trim().split("\n").slice(-8).join("\n")
  const detail = `${what}${tail === "" ? "" : `: ${tail}`}`
  if (/No space left on device|ENOSPC/.test(log)) {
    return new PostgresFault({
      reason: "disk-full",
      detail,
      hint: "free space on the file system of the data folder and start again"
    })
  }
  if (/database files are incompatible with server|initialized by PostgreSQL version/.test(log)) {
    return versionFault(detail)
  }
  if (/Permission denied|Operation not permitted|has wrong ownership|has invalid permissions/.test(log)) {
    return permissionFault(
      detail,
      "give the data folder back to the account that FlowLens runs as (chown -R), and keep it at mode 0700"
    )
  }
  if (/could not look up effective user ID/.test(log)) {
    return permissionFault(detail, `run as a user that /etc/passwd knows ${otherDatabase}`)
  }
  if (/GLIBC_|cannot execute|Exec format error|error while loading shared libraries/.test(log)) return binariesFault(detail)
  return new PostgresFault({
    reason: "start",
    detail,
    hint: `the whole log is postgres.log in the data folder; repair it ${otherDatabase}`
  })
}

export const versionFault = (detail: string) =>
  new PostgresFault({
    reason: "version",
    detail,
    hint: "start the FlowLens release that wrote it, make a backup, and restore that backup with this release"
  })
