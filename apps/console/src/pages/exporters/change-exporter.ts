/** A decision about an exporter as a person makes it: done at once, said at the foot of the page, and taken back with Undo. */
import type { Exporter } from "#domain/Exporter.ts"
import type { ExporterChange } from "#domain/ExporterPolicy.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { ToastEvent } from "../../ui/events.ts"

export const exporterName = (one: Pick<Exporter, "name" | "address">): string => one.name ?? one.address

const send = (from: EventTarget, one: Exporter, change: ExporterChange, said: string, undoable: boolean): void => {
  const { id } = one
  act((api) => api.ExporterChange({ id, change })).then(
    ({ name, policy }) => {
      const before: ExporterChange = {
        ...("name" in change ? { name } : {}),
        ...("approval" in change ? { approval: policy.approval } : {}),
        ...("sampling" in change ? { sampling: policy.sampling } : {}),
        ...("silenceSeconds" in change ? { silenceSeconds: policy.silenceSeconds } : {}),
        ...("silentAlarm" in change ? { silentAlarm: policy.silentAlarm } : {})
      }
      const undo = { label: "Undo", run: () => send(from, one, before, `${exporterName(one)}: as before`, false) }
      from.dispatchEvent(new ToastEvent(said, "info", undoable ? undo : undefined))
    },
    (error) => from.dispatchEvent(new ToastEvent(`${exporterName(one)} stays as it was: ${faultOf(error).message}`, "warning"))
  )
}

export const changeExporter = (from: EventTarget, one: Exporter, change: ExporterChange, said: string): void =>
  send(from, one, change, said, true)
