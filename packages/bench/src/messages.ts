import { createTransport } from 'nodemailer'

const addresses = { from: 'Shop <shop@example.com>', to: 'customer@example.com' }

/** A text of one line. */
export const oneLine: object = {
  ...addresses,
  subject: 'Your order has been sent',
  text: 'Your order is on its way.',
}

const paragraph =
  '<p style="font:16px/1.5 sans-serif;color:#333">Hello Zoë, your order <b>42</b> is on its way – thank you.</p>\n'

/** Text and HTML, as an application sends them; about 2.8 kB when composed. */
export const multipart: object = {
  ...addresses,
  subject: 'Your order 42 has been sent – thank you',
  text: 'Hello Zoë,\n\nyour order 42 is on its way – thank you.\n\n'.repeat(8),
  html: `<!doctype html>\n<html><body>\n${paragraph.repeat(12)}</body></html>\n`,
}

/** A newsletter of about 22 kB. */
export const newsletter: object = { ...multipart, html: paragraph.repeat(130) }

/** A newsletter of 22 kB when composed. */
export const longNewsletter: typeof newsletter = { ...multipart, html: paragraph.repeat(160) }

/** Size of a composed email in bytes. */
export async function sizeOf(message: object): Promise<number> {
  const composer = createTransport({ streamTransport: true, buffer: true })
  const { message: composed } = await composer.sendMail(message)
  return (composed as Buffer).length
}
