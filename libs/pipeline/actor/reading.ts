/** An entry in the words of the domain, for the health page and the API. Pure. */

import * as DateTime from "effect/DateTime"
import { ActorReading, MailboxReading } from "#domain/Health.ts"
import type { ActorEntry } from "./ActorEntry.ts"

export const readingOf = ({ path, state, since, restarts, lastError, mailbox, gauges }: ActorEntry): ActorReading =>
  new ActorReading({
    path,
    state,
    since: DateTime.makeUnsafe(since),
    restarts,
    lastError: lastError === null ? null : { message: lastError.message, at: DateTime.makeUnsafe(lastError.at) },
    mailbox:
      mailbox === null
        ? null
        : new MailboxReading({
            name: mailbox.name,
            policy: mailbox.policy,
            capacity: mailbox.capacity,
            depth: mailbox.depth,
            offered: BigInt(mailbox.offered),
            refused: BigInt(mailbox.refused)
          }),
    gauges
  })
