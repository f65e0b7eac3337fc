/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Whether an address means every interface. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** The address and port as in a URL. A wildcard address is reached by loopback. @example '127.0.0.1:2525', '[::1]:2525' */
export function toAuthority(host: string, port: number): string {
  const reachable = isWildcard(host) ? '127.0.0.1' : host
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
