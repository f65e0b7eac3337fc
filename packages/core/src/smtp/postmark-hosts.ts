import type { StreamType } from './credentials.js'

/** Postmark's SMTP host for each type of message stream. */
export const POSTMARK_HOSTS: Readonly<Record<StreamType, string>> = {
  transactional: 'smtp.postmarkapp.com',
  broadcasts: 'smtp-broadcasts.postmarkapp.com',
}

/** The ports of both hosts, in the order in which they are tried. */
export const POSTMARK_PORTS: readonly number[] = [587, 2525, 25]
