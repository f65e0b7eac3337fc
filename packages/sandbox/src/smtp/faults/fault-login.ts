import { createHmac } from 'node:crypto'
import type { SMTPServerAuthentication } from 'smtp-server'

const CRAM_CHALLENGE = '<1.2@localhost>'

/** The challenges after an AUTH command; undefined for an unknown mechanism. */
export function challengesOf(command: string): string[] | undefined {
  const [, method = '', initial] = command.split(' ')
  switch (method.toUpperCase()) {
    case 'PLAIN':
      return initial === undefined ? [''] : []
    case 'LOGIN':
      return initial === undefined ? ['Username:', 'Password:'] : ['Password:']
    case 'CRAM-MD5':
      return [CRAM_CHALLENGE]
    default:
      return undefined
  }
}

/** The login that an AUTH command and the answers to its challenges make up. */
export function readLogin(command: string, answers: readonly string[]): SMTPServerAuthentication {
  const [, method = '', initial] = command.split(' ')
  const said = initial === undefined ? answers : [initial, ...answers]
  const [first = '', second = ''] = said.map((text) => Buffer.from(text, 'base64').toString())
  switch (method.toUpperCase()) {
    case 'PLAIN': {
      const [, username = '', password = ''] = first.split('\0')
      return { method: 'PLAIN', username, password, validatePassword: (wanted) => wanted === password }
    }
    case 'LOGIN':
      return {
        method: 'LOGIN',
        username: first,
        password: second,
        validatePassword: (wanted) => wanted === second,
      }
    default: {
      const [username = '', digest] = first.split(' ')
      const validatePassword = (wanted: string) =>
        createHmac('md5', wanted).update(CRAM_CHALLENGE).digest('hex') === digest
      return { method: 'CRAM-MD5', username, validatePassword }
    }
  }
}
