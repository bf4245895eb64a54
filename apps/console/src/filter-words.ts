/** The filter grammar of the domain as the filter line wants it: what completes, what is wrong before it is sent. */
import { Result } from "effect"
import { completeFilter, parseFilter } from "#domain/filter.ts"
import type { FilterFault, Suggestion } from "./ui/net-filter.ts"

export interface FilterWords {
  readonly complete: (text: string, caret: number) => ReadonlyArray<Suggestion>
  readonly check: (text: string) => FilterFault | undefined
}

export const filterWords = (subject: Parameters<typeof parseFilter>[1]): FilterWords => ({
  complete: (text, caret) => completeFilter(text, caret, subject),
  check: (text) => {
    const read = parseFilter(text, subject)
    return Result.isFailure(read) ? { position: read.failure.position, message: read.failure.message } : undefined
  }
})
