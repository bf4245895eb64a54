/** Numbers of sFlow v5 (sflow.org/sflow_version_5.txt). */

/** Samples by enterprise 0 format. */
export const FLOW_SAMPLE = 1
export const COUNTER_SAMPLE = 2
export const EXPANDED_FLOW_SAMPLE = 3
export const EXPANDED_COUNTER_SAMPLE = 4
export const DISCARD_SAMPLE = 5

/** Flow records by enterprise 0 format. */
export const RAW_HEADER = 1
export const ETHERNET_FRAME = 2
export const SAMPLED_IPV4 = 3
export const SAMPLED_IPV6 = 4

/** Interface formats: the value is an ifIndex; a reason for a discard; a number of interfaces. */
export const FORMAT_INTERFACE = 0
/** "No interface": the packet came from, or went to, the device itself. */
export const INTERNAL_INTERFACE = 0x3fffffff
