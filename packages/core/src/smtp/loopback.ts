import { isIP } from 'node:net'

/** Whether a host is this machine, so that nothing sent to it crosses a network. @example isLoopback('127.0.0.1') */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}
