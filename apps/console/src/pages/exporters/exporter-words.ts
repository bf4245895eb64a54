/** What exporters say and how it is said to people: states, sampling, clock skew, element names of templates. */
import type { Exporter } from "#domain/Exporter.ts"
import { durationText } from "../../format/time.ts"
import type { StatusName } from "../../ui/net-status.ts"

export const exporterStates: Record<Exporter["state"], readonly [mark: StatusName, word: string, title: string]> = {
  heard: ["up", "heard", "a datagram came within the silence limit"],
  waiting: ["degraded", "waiting for template", "heard, but its data sets wait for the template that describes them"],
  silent: ["down", "silent", "no datagram for longer than the silence limit"],
  expected: ["unknown", "expected", "added by hand and not heard yet"]
}

/** How an exporter stands: what is decided about it first, then how it is heard. */
export const standingOf = (one: Exporter): readonly [mark: StatusName, word: string, title: string] => {
  const heard = exporterStates[one.state]
  if (one.policy.approval === "blocked") return ["maintenance", "blocked", "its datagrams are refused and counted"]
  if (one.policy.approval !== "new") return heard
  if (one.state === "heard") return ["info", "new, unapproved", "nobody decided about it yet"]
  return [heard[0], `new, ${heard[1]}`, `${heard[2]}; nobody decided about it yet`]
}

export const samplingText = (sampling: number): string =>
  sampling === 0 ? "not said" : sampling === 1 ? "unsampled" : `1 of ${sampling}`

/** Beyond this a clock is worth a mark: flows are still placed right, by the skew, but the device's own logs are not. */
const skewWorthSayingMs = 5000

export const skewText = (skewMs: number | null): string =>
  skewMs === null ? "no clock" : `${skewMs > 0 ? "+" : ""}${durationText(skewMs)}`
export const skewIsOff = (skewMs: number | null): boolean => skewMs !== null && Math.abs(skewMs) > skewWorthSayingMs

/** The commonest information elements (IANA ipfix registry): a template is read by these; the others by their number. */
const elements: Record<number, string> = {
  1: "octetDeltaCount",
  2: "packetDeltaCount",
  3: "deltaFlowCount",
  4: "protocolIdentifier",
  5: "ipClassOfService",
  6: "tcpControlBits",
  7: "sourceTransportPort",
  8: "sourceIPv4Address",
  9: "sourceIPv4PrefixLength",
  10: "ingressInterface",
  11: "destinationTransportPort",
  12: "destinationIPv4Address",
  13: "destinationIPv4PrefixLength",
  14: "egressInterface",
  15: "ipNextHopIPv4Address",
  16: "bgpSourceAsNumber",
  17: "bgpDestinationAsNumber",
  18: "bgpNextHopIPv4Address",
  21: "flowEndSysUpTime",
  22: "flowStartSysUpTime",
  23: "postOctetDeltaCount",
  24: "postPacketDeltaCount",
  27: "sourceIPv6Address",
  28: "destinationIPv6Address",
  29: "sourceIPv6PrefixLength",
  30: "destinationIPv6PrefixLength",
  31: "flowLabelIPv6",
  32: "icmpTypeCodeIPv4",
  34: "samplingInterval",
  35: "samplingAlgorithm",
  36: "flowActiveTimeout",
  37: "flowIdleTimeout",
  38: "engineType",
  39: "engineId",
  40: "exportedOctetTotalCount",
  41: "exportedMessageTotalCount",
  42: "exportedFlowRecordTotalCount",
  48: "samplerId",
  49: "samplerMode",
  50: "samplerRandomInterval",
  52: "minimumTTL",
  53: "maximumTTL",
  56: "sourceMacAddress",
  57: "postDestinationMacAddress",
  58: "vlanId",
  59: "postVlanId",
  60: "ipVersion",
  61: "flowDirection",
  62: "ipNextHopIPv6Address",
  80: "destinationMacAddress",
  81: "postSourceMacAddress",
  82: "interfaceName",
  83: "interfaceDescription",
  85: "octetTotalCount",
  86: "packetTotalCount",
  89: "forwardingStatus",
  95: "applicationId",
  96: "applicationName",
  130: "exporterIPv4Address",
  131: "exporterIPv6Address",
  136: "flowEndReason",
  138: "observationPointId",
  139: "icmpTypeCodeIPv6",
  141: "lineCardId",
  143: "meteringProcessId",
  144: "exportingProcessId",
  145: "templateId",
  148: "flowId",
  149: "observationDomainId",
  150: "flowStartSeconds",
  151: "flowEndSeconds",
  152: "flowStartMilliseconds",
  153: "flowEndMilliseconds",
  154: "flowStartMicroseconds",
  155: "flowEndMicroseconds",
  156: "flowStartNanoseconds",
  157: "flowEndNanoseconds",
  160: "systemInitTimeMilliseconds",
  161: "flowDurationMilliseconds",
  176: "icmpTypeIPv4",
  177: "icmpCodeIPv4",
  210: "paddingOctets",
  225: "postNATSourceIPv4Address",
  226: "postNATDestinationIPv4Address",
  227: "postNAPTSourceTransportPort",
  228: "postNAPTDestinationTransportPort",
  230: "natEvent",
  233: "firewallEvent",
  234: "ingressVRFID",
  235: "egressVRFID",
  239: "biflowDirection",
  243: "dot1qVlanId",
  302: "selectorId",
  304: "selectorAlgorithm",
  305: "samplingPacketInterval",
  306: "samplingPacketSpace",
  309: "samplingSize",
  310: "samplingPopulation",
  311: "samplingProbability"
}

export const elementName = (enterprise: number, element: number): string =>
  enterprise === 0
    ? (elements[element] ?? `element ${element}`)
    : enterprise === 29305
      ? `reverse ${elements[element] ?? element}`
      : `enterprise ${enterprise}, element ${element}`

/** `enterprise.element` of the unknown elements' keys. */
export const unknownName = (key: string): string => {
  const [enterprise = "0", element = "0"] = key.split(".")
  return elementName(Number(enterprise), Number(element))
}

/** 65535 is variable length (RFC 7011 §7). */
export const lengthText = (length: number): string => (length === 65535 ? "variable" : String(length))
