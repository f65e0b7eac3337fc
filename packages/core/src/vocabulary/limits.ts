/**
 * Postmark's limits for one message. A megabyte is read as 1024 × 1024 bytes, the larger definition, so that nothing is
 * refused here that Postmark might accept.
 * @see https://postmarkapp.com/developer/user-guide/send-email-with-api
 */
export const MESSAGE_LIMITS = {
  /** To, Cc and Bcc together. */
  recipients: 50,
  /** Text and HTML, each. */
  bodyBytes: 5_242_880,
  /** Bodies and attachments together, attachments in base64. */
  messageBytes: 10_485_760,
  /** UTF-16 units. */
  subjectLength: 2000,
  /** UTF-16 units, including name and address. */
  fromLength: 255,
} as const

/** Extensions of attachments that Postmark refuses (error code 411). */
export const FORBIDDEN_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'vbs exe bin bat chm com cpl crt hlp hta inf ins isp jse lnk mdb pcd pif reg scr sct shs vbe vba ' +
    'wsf wsh wsl msc msi msp mst'
  ).split(' '),
)
