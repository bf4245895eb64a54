/**
 * Records of traffic that a firewall or router did not let through: IE 233 firewallEvent 3 (denied), IE 89 forwardingStatus with the status
 * "dropped". They are counted and taken out of the batch again: what was refused is not a dependency.
 */
import { copyRow } from "./copy-row.ts"
import type { FlowBatch } from "./FlowBatch.ts"
import type { Positions } from "./interpret.ts"
import type { Plan } from "./plan.ts"
import { readUint } from "./Reading.ts"

const FLOW_DENIED = 3
/** RFC 7270 §4.12: the two upper bits of the octet. */
const STATUS_DROPPED = 2

export const saysDenied = (plan: Plan): boolean => plan.firewallEvent >= 0 || plan.forwardingStatus >= 0

const refused = (event: number, status: number): boolean => event === FLOW_DENIED || (status & 0xff) >>> 6 === STATUS_DROPPED

/** Of the record whose fields were located. */
export const isDenied = (plan: Plan, view: DataView, positions: Positions): boolean => {
  const at = (field: number) => (field < 0 ? 0 : readUint(view, positions.at[field]!, positions.length[field]!))
  return refused(at(plan.firewallEvent), at(plan.forwardingStatus))
}

/** Takes the denied ones out of rows `from` to `batch.length`, whose records of a fixed length begin at `at`. Returns how many. */
export const removeDenied = (plan: Plan, view: DataView, at: number, batch: FlowBatch, from: number): number => {
  const { firewallEvent, forwardingStatus, lengths, minimum, offsets } = plan
  const read = (field: number, record: number) => (field < 0 ? 0 : readUint(view, record + offsets[field]!, lengths[field]!))
  let kept = from
  for (let row = from; row < batch.length; row++, at += minimum) {
    if (refused(read(firewallEvent, at), read(forwardingStatus, at))) continue
    if (kept !== row) copyRow(batch, row, batch, kept)
    kept++
  }
  const gone = batch.length - kept
  batch.length = kept
  return gone
}
