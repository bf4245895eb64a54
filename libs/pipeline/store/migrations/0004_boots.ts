import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** One row a process start: how far it got, so that the next start can say what a hard stop cost. */
export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE boots (
      boot uuid PRIMARY KEY,
      version text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now(),
      stopped_at timestamptz,
      -- set by the start that reported the loss of this one
      reported_at timestamptz,
      datagrams bigint NOT NULL DEFAULT 0,
      records bigint NOT NULL DEFAULT 0,
      records_written bigint NOT NULL DEFAULT 0,
      CHECK (datagrams >= 0 AND records >= 0 AND records_written >= 0)
    )`
  yield* sql`CREATE INDEX boots_unreported ON boots (started_at) WHERE stopped_at IS NULL AND reported_at IS NULL`
})
