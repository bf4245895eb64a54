/** Demo: a datacenter plays as real UDP datagrams at the appliance's own ports. */
import { Effect, Layer } from "effect"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import type { Config } from "../config.ts"
import { demo } from "../demo/Demo.ts"
import { Flows } from "../flow/Flows.ts"
import { openListeners } from "../flow/open-listeners.ts"

export const layerDemo = (config: Config) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const flows = yield* Flows
      const supervisor = yield* Supervisor.make({ path: "demo" })
      const bound = config.ingestion.bind_address
      const host = bound === "0.0.0.0" || bound === "::" ? "127.0.0.1" : bound
      yield* supervisor.start("exporters", () =>
        Effect.gen(function* () {
          const [first] = yield* openListeners(flows.listeners)
          const { netflow_port: netflow, ipfix_port: ipfix, sflow_port: sflow } = config.ingestion
          // port 0 was chosen by the system: any listener takes any protocol
          const port = (asked: number) => (asked === 0 ? first.port : asked)
          return yield* demo({ host, ports: { netflow: port(netflow), ipfix: port(ipfix), sflow: port(sflow) } })
        })
      )
    })
  )
