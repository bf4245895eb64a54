/** Which plans become generated code (generate.ts): what exporters really send. The others are interpreted. */
import {
  type Plan,
  RATE_INTERVAL,
  RATE_NONE,
  SECTION_NONE,
  TIME_MILLISECONDS,
  TIME_NONE,
  TIME_SECONDS,
  TIME_UPTIME,
  type TimeSource,
  VARIABLE_LENGTH
} from "./plan.ts"

/** Whether a plan reads uptimes; its generated code then takes it for granted that the exporter's uptime is known. */
export const needsUptime = (plan: Plan): boolean => plan.start.kind === TIME_UPTIME || plan.end.kind === TIME_UPTIME

const simpleTime = (time: TimeSource): boolean =>
  time.kind === TIME_NONE || time.kind === TIME_MILLISECONDS || time.kind === TIME_SECONDS || time.kind === TIME_UPTIME

/** Every field that feeds a column. */
const fieldsRead = (plan: Plan): ReadonlyArray<number> =>
  [
    ...plan.source4,
    ...plan.destination4,
    ...plan.source6,
    ...plan.destination6,
    ...plan.sourcePort,
    ...plan.destinationPort,
    ...plan.protocol,
    ...plan.tcpFlags,
    plan.icmpTypeCode,
    plan.icmpType,
    plan.icmpCode,
    plan.bytes,
    plan.packets,
    plan.reverseBytes,
    plan.reversePackets,
    plan.start.field,
    plan.end.field,
    plan.inputInterface,
    plan.outputInterface,
    plan.direction,
    plan.rateA,
    plan.samplerId
  ].filter((field) => field >= 0)

const lengthAtMost = (plan: Plan, fields: ReadonlyArray<number>, most: number): boolean =>
  fields.length <= 1 && fields.every((field) => plan.lengths[field]! <= most)

/** No element twice, absolute or uptime times, no packet section, no column fed by a variable-length field: what exporters really
 * send. Integers are no longer than their columns: `interpret` goes through doubles, which round. */
export const canGenerate = (plan: Plan): boolean =>
  plan.sectionKind === SECTION_NONE &&
  (plan.rateKind === RATE_NONE || plan.rateKind === RATE_INTERVAL) &&
  plan.systemInit < 0 &&
  plan.durationMs < 0 &&
  plan.durationUs < 0 &&
  simpleTime(plan.start) &&
  simpleTime(plan.end) &&
  fieldsRead(plan).every((field) => plan.lengths[field] !== VARIABLE_LENGTH) &&
  lengthAtMost(plan, plan.source4, 4) &&
  lengthAtMost(plan, plan.destination4, 4) &&
  lengthAtMost(plan, plan.source6, 16) &&
  lengthAtMost(plan, plan.destination6, 16) &&
  lengthAtMost(plan, plan.sourcePort, 2) &&
  lengthAtMost(plan, plan.destinationPort, 2) &&
  lengthAtMost(plan, plan.protocol, 1) &&
  lengthAtMost(plan, plan.tcpFlags, 4) &&
  [plan.icmpTypeCode, plan.icmpType, plan.icmpCode, plan.inputInterface, plan.outputInterface, plan.direction, plan.rateA].every(
    (field) => field < 0 || plan.lengths[field]! <= 4
  ) &&
  [plan.start, plan.end].every(({ field, kind }) => kind !== TIME_UPTIME || plan.lengths[field]! <= 4)
