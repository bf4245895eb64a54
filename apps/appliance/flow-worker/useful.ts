/** Whether a datagram was decoded or only malformed: one good set makes it useful. */
import type { DecodeOutcome } from "#pipeline/decode/DecodeOutcome.ts"

export const useful = (outcome: DecodeOutcome): boolean =>
  outcome.malformed === "" ||
  outcome.records +
    outcome.released +
    outcome.optionsRecords +
    outcome.templates +
    outcome.optionsTemplates +
    outcome.withdrawals +
    outcome.unknownSets +
    outcome.flowSamples +
    outcome.counterSamples +
    outcome.discardSamples +
    outcome.otherSamples >
    0
