export { examine } from './examine.js'
export type { DnsResolver, ExamineOptions, Lookup } from './examine-options.js'
export type { Finding, Level } from './finding.js'
