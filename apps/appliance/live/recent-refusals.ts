/** How much a counter grew over the last five minutes. */
const spanMs = 5 * 60_000

export const makeRecentRefusals = () => {
  const history: Array<readonly [at: number, total: number]> = []
  return {
    take: (now: number, total: number): number => {
      history.push([now, total])
      // the newest reading that is five minutes old or older stays as the base
      while (history.length > 1 && history[1]![0] <= now - spanMs) history.shift()
      return Math.max(0, total - history[0]![1])
    }
  }
}
