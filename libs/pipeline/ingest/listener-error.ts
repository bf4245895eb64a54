/** What keeps a listener from running, in words of its operator. */

export interface ListenerError {
  readonly message: string
  readonly hint: string
  /** ms since 1970 */
  readonly at: number
}

export const listenerErrorOf = (error: unknown, address: string, port: number, at: number): ListenerError => {
  const code = (error as { code?: string }).code ?? ""
  const where = `UDP ${address.includes(":") ? `[${address}]` : address}:${port}`
  switch (code) {
    case "EADDRINUSE":
      return {
        message: `${where} is in use by another process`,
        hint: `see who has it with: ss -lunp 'sport = :${port}'; stop it, or choose another port in the section ingestion`,
        at
      }
    case "EACCES":
      return {
        message: `${where} cannot be opened: permission denied`,
        hint: "ports below 1024 need privilege; choose a higher one in the section ingestion",
        at
      }
    case "EADDRNOTAVAIL":
      return {
        message: `${where} cannot be opened: no interface of this machine has the address`,
        hint: "set ingestion.bind_address to an address of this machine, or to 0.0.0.0",
        at
      }
    default:
      return { message: `${where} failed: ${error instanceof Error ? error.message : String(error)}`, hint: "", at }
  }
}
