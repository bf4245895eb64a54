/** Append-only, hash-chained record of who did what. */
import { Schema } from "effect"
import { Count, Instant, listQuery } from "./ids.ts"

export class AuditEntry extends Schema.Class<AuditEntry>("AuditEntry")({
  sequence: Count,
  at: Instant,
  actor: Schema.String,
  via: Schema.Literals(["session", "token", "local", "none"]),
  /** Where from: remote address, or null on the machine itself. */
  source: Schema.NullOr(Schema.String),
  /** Dotted verb, e.g. `session.login`, `operator.add`. */
  action: Schema.String,
  subject: Schema.NullOr(Schema.String),
  outcome: Schema.Literals(["done", "refused"]),
  detail: Schema.Record(Schema.String, Schema.String),
  /** SHA-256 over the previous hash and this entry, hex. */
  hash: Schema.String
}) {}

export const AuditQuery = listQuery(["sequence"])
