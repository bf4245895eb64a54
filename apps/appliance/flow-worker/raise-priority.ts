/**
 * The datagrams of a busy site wait in a socket buffer that is full after a tenth of a second, everything else in the process can wait
 * longer. So the calling thread asks to go before the others: where a core is shared, resolving a window must not cost the next one.
 */
import { readlinkSync } from "node:fs"
import { constants, getPriority, setPriority } from "node:os"

/** A step is a quarter more (sched(7)): against one thread of the others on the same core this one gets nine tenths. */
const STEPS = 10

/** True when the system let us: it takes root, CAP_SYS_NICE or a limit on niceness (setrlimit(2), RLIMIT_NICE). Linux only. */
export const raisePriority = (): boolean => {
  try {
    // In Linux niceness belongs to a thread, and a thread's number is taken where a process's is (setpriority(2), NOTES).
    const thread = Number(/\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self"))?.[1])
    if (!(thread > 0)) return false
    setPriority(thread, Math.max(constants.priority.PRIORITY_HIGHEST, getPriority(thread) - STEPS))
    return true
  } catch {
    return false
  }
}
