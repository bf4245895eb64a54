/** What each finding of the coach means for the map, what is to be changed, and how one sees that it worked. Lines: exporter-lines.ts. */
import type { FindingCode } from "./ExporterFinding.ts"

/** What is changed on the device; `appliance`: here. */
export type Topic =
  | "timeouts"
  | "templates"
  | "options"
  | "sampling"
  | "ntp"
  | "directions"
  | "ingress-only"
  | "fields"
  | "datagram-size"
  | "load"
  | "newer-protocol"
  | "appliance"

export interface Advice {
  readonly title: string
  /** What it means for your map. */
  readonly meaning: string
  readonly topic: Topic
  /** How to see it worked. */
  readonly worked: string
}

const soon = "The figures are of the last ten minutes: the finding is gone ten minutes after the change."

export const exporterAdvice: Record<FindingCode, Advice> = {
  "one-direction": {
    title: "One direction is missing",
    meaning:
      "Who serves is then told by ports alone, volumes are half, and confidence stays low. It is harmless only if another exporter on the way back sends the other half.",
    topic: "directions",
    worked: `Why this direction, of any dependency seen by it, shows answered connections. ${soon}`
  },
  "active-timeout-long": {
    title: "The active timeout is longer than the window",
    meaning:
      "What a long connection carried is told in one lump when its record ends: windows before it look empty, and what lies behind the lateness is counted as late.",
    topic: "timeouts",
    worked: `Late records on Health stand still. ${soon}`
  },
  "active-timeout-short": {
    title: "The active timeout is very short",
    meaning: "The map is right. Exporter, network and FlowLens handle many times more records than they need to.",
    topic: "timeouts",
    worked: `Its record rate falls and its volume stays. ${soon}`
  },
  "sampling-missing": {
    title: "Packets look sampled, and no rate is announced",
    meaning: "Volumes on the map are too small by the sampling rate, and rare connections are missing without a mark.",
    topic: "options",
    worked:
      "Sampling shows the rate, and volumes of its dependencies carry ≈. An override here does the same where the device cannot say it."
  },
  "sampling-differs": {
    title: "The override and the announced rate differ",
    meaning: "One of the two is wrong, and all its volumes with it by the same factor.",
    topic: "sampling",
    worked: "Take the override away, or correct the device: the finding goes at once."
  },
  "clock-off": {
    title: "Its clock is off",
    meaning: "Flow times are corrected by the measured difference. The device's own log and yours will not agree about when.",
    topic: "ntp",
    worked: "Clock skew on this sheet falls under a second within a minute."
  },
  "clock-drift": {
    title: "Its clock drifts",
    meaning: "The correction follows. Between two measurements records may land in a neighbouring window.",
    topic: "ntp",
    worked: "Clock skew stays where it is for half an hour."
  },
  "template-interval": {
    title: "Templates come too rarely",
    meaning:
      "After a restart of the device or a change of its templates, data wait until the next template and may be given up: a gap on the map that nobody made.",
    topic: "templates",
    worked: `Waiting now stays 0, and templates are seen every minute. ${soon}`
  },
  "options-missing": {
    title: "No options data",
    meaning:
      "If it samples, FlowLens cannot know: volumes would be too small. If it does not, an override of unsampled says so and ends this.",
    topic: "options",
    worked: "Sampling shows unsampled or a rate."
  },
  "loss-network": {
    title: "Flow datagrams are lost on the way",
    meaning: "Connections told in the lost datagrams are missing or too small. Nothing it watched is called gone meanwhile.",
    topic: "load",
    worked: `The gaps below stop growing. Look at drops of each hop's interface, and at policers for UDP. ${soon}`
  },
  "loss-here": {
    title: "Our kernel drops flow datagrams",
    meaning: "Connections told in the dropped datagrams are missing or too small, of every exporter on that port.",
    topic: "appliance",
    worked: "Kernel dropped on Health stands still."
  },
  "receive-buffer": {
    title: "The receive buffer is small for its rate",
    meaning: "A pause of the worker as short as that loses datagrams. Nothing may have been lost yet.",
    topic: "appliance",
    worked: "Health shows the granted buffer after the restart of FlowLens."
  },
  "no-tcp-flags": {
    title: "TCP flags are missing",
    meaning: "Who opened a connection is not seen: direction is told by ports and counts, and scans look like use.",
    topic: "fields",
    worked: `SYN without ACK stands among the evidence of its dependencies. ${soon}`
  },
  "no-interfaces": {
    title: "Interfaces are missing",
    meaning: "Rates by interface cannot be told, nor which way a packet took.",
    topic: "fields",
    worked: soon
  },
  "no-times": {
    title: "Flow times are missing",
    meaning:
      "Flows count in the window of their export: a long connection lands in the wrong one, and who began cannot be told by time.",
    topic: "fields",
    worked: soon
  },
  "no-direction": {
    title: "The flow direction is not said",
    meaning:
      "Should it report on the way in and on the way out, the doubling cannot be told apart. Harmless where only ingress is reported.",
    topic: "fields",
    worked: soon
  },
  "no-ports": {
    title: "Ports are missing",
    meaning: "Only who talks with whom is told, not to which service: such flows make no dependencies.",
    topic: "fields",
    worked: `Its services appear on the map. ${soon}`
  },
  fragments: {
    title: "Datagrams are larger than a frame",
    meaning: "They travel as fragments; firewalls drop those, and one lost piece loses the whole datagram.",
    topic: "datagram-size",
    worked: soon
  },
  "both-ways": {
    title: "Everything is reported twice",
    meaning: "FlowLens takes the second report away, so volumes are right. Exporter and network carry double.",
    topic: "ingress-only",
    worked: `Its record rate falls by half and its volumes stay. ${soon}`
  },
  "netflow5-limits": {
    title: "NetFlow v5 leaves out much",
    meaning:
      "IPv6 is not on the map at all, volumes of more than 4 GB in one record wrap, and interfaces above 65\u202f535 are wrong.",
    topic: "newer-protocol",
    worked: "The device appears as a new exporter with NetFlow v9 or IPFIX; forget this one then."
  }
}
