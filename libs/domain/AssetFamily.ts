/** The 8 families of the console's marks, and the two letters of each type. */
import type { AssetType } from "./Asset.ts"

export const families = ["compute", "data", "network", "netsvc", "comms", "security", "endpoint", "appinfra", "unknown"] as const
export type AssetFamily = (typeof families)[number]

export const assetTypes: Record<AssetType, { readonly family: AssetFamily; readonly letters: string; readonly label: string }> = {
  server: { family: "compute", letters: "SV", label: "server" },
  workstation: { family: "compute", letters: "WS", label: "workstation" },
  "virtual-machine": { family: "compute", letters: "VM", label: "virtual machine" },
  container: { family: "compute", letters: "CT", label: "container" },
  "cloud-service": { family: "compute", letters: "CS", label: "cloud service" },
  database: { family: "data", letters: "DB", label: "database" },
  storage: { family: "data", letters: "ST", label: "storage" },
  router: { family: "network", letters: "RT", label: "router" },
  switch: { family: "network", letters: "SW", label: "switch" },
  "load-balancer": { family: "network", letters: "LB", label: "load balancer" },
  firewall: { family: "network", letters: "FW", label: "firewall" },
  dns: { family: "netsvc", letters: "DN", label: "DNS" },
  dhcp: { family: "netsvc", letters: "DH", label: "DHCP" },
  ntp: { family: "netsvc", letters: "NT", label: "NTP" },
  directory: { family: "netsvc", letters: "DS", label: "directory" },
  mail: { family: "comms", letters: "ML", label: "mail" },
  voice: { family: "comms", letters: "VO", label: "voice" },
  "vpn-gateway": { family: "security", letters: "VP", label: "VPN gateway" },
  proxy: { family: "security", letters: "PX", label: "proxy" },
  "log-collector": { family: "security", letters: "LC", label: "log collector" },
  "remote-access": { family: "security", letters: "RA", label: "remote access" },
  printer: { family: "endpoint", letters: "PR", label: "printer" },
  "iot-device": { family: "endpoint", letters: "IO", label: "IoT device" },
  camera: { family: "endpoint", letters: "CM", label: "camera" },
  "message-queue": { family: "appinfra", letters: "MQ", label: "message queue" },
  monitoring: { family: "appinfra", letters: "MO", label: "monitoring" },
  unknown: { family: "unknown", letters: "??", label: "unknown" }
}
