/** Requests answered, by kind of address and class of status: few series, whatever is asked for. */
const kinds = ["/api", "/access", "/rpc", "/metrics", "/health", "/ready", "/docs"] as const

export const kindOf = (path: string): string => kinds.find((kind) => path === kind || path.startsWith(`${kind}/`)) ?? "console"

export interface HttpReading {
  readonly kind: string
  /** `2xx`, `4xx` … */
  readonly status: string
  readonly requests: number
}

const make = () => {
  const counts = new Map<string, number>()
  return {
    count: (path: string, status: number) => {
      const key = `${kindOf(path)} ${Math.floor(status / 100)}xx`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    read: (): ReadonlyArray<HttpReading> =>
      [...counts].map(([key, requests]) => {
        const [kind = "", status = ""] = key.split(" ")
        return { kind, status, requests }
      })
  }
}

/** Of this process since its start. */
export const httpMetrics = make()
