/** The body of `upkeep/identify`: names and types for assets, again whenever the map or the hosts file changed. */
import { readFile, stat } from "node:fs/promises"
import { Effect, SubscriptionRef } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import { serviceTypes } from "#pipeline/classify/service-type.ts"
import { type HostName, readHosts } from "#pipeline/enrich/hosts-file.ts"
import { IdentityStore } from "#pipeline/store/IdentityStore.ts"
import { Flows } from "./Flows.ts"

const every = "5 seconds"

export const identify = (hostsFile: string | undefined, given: ReadonlyArray<HostName>) =>
  Effect.gen(function* () {
    const flows = yield* Flows
    const identities = yield* IdentityStore
    const names = namesFrom(hostsFile, given)
    let seenVersion = -1
    let seenNames: ReadonlyArray<HostName> | undefined
    for (;;) {
      const version = yield* SubscriptionRef.get(flows.mapVersion)
      const known = yield* names
      if (version !== seenVersion || known !== seenNames) {
        yield* Effect.gen(function* () {
          const named = yield* identities.name(known)
          const typed = yield* identities.classify(serviceTypes)
          if (named + typed > 0) yield* SubscriptionRef.update(flows.mapVersion, (at) => at + 1)
          seenVersion = yield* SubscriptionRef.get(flows.mapVersion)
          seenNames = known
        }).pipe(Effect.catch((error) => limited("identify")(Effect.logWarning("could not name or classify assets", error))))
      }
      yield* Effect.sleep(every)
    }
  })

/** The names that hold now: the same array until the file changes. A file that cannot be read leaves the last names. */
const namesFrom = (path: string | undefined, given: ReadonlyArray<HostName>): Effect.Effect<ReadonlyArray<HostName>> => {
  if (path === undefined) return Effect.succeed(given)
  let mark = ""
  let names = given
  return Effect.gen(function* () {
    const { mtimeMs, size } = yield* Effect.tryPromise(() => stat(path))
    if (`${mtimeMs} ${size}` === mark) return names
    const { names: read, wrong } = readHosts(yield* Effect.tryPromise(() => readFile(path, "utf8")))
    for (const { line, why } of wrong.slice(0, 10)) yield* Effect.logWarning(`${path}:${line}: ${why}`)
    mark = `${mtimeMs} ${size}`
    names = [...given, ...read]
    return names
  }).pipe(Effect.catch(() => Effect.as(limited("hosts-file")(Effect.logWarning(`cannot read the hosts file ${path}`)), names)))
}
