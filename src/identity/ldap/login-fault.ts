const longestUsername = 1024
const longestPassword = 4096

/** Why these cannot be a login name and a password, if they cannot; what is asked before anything is sent. */
export function faultOf(username: string, password: string): string | undefined {
  return faultOfName(username) ?? faultOfPassword(password)
}

export function faultOfName(username: string): string | undefined {
  if (username === '') return 'the name is empty'
  if (username.length > longestUsername) return 'the name is too long'
  if (!username.isWellFormed()) return 'the name is not Unicode'
  if (/\p{Cc}/u.test(username)) return 'the name holds control characters'
  // Directories do not look at outer spaces, but what is made of the name would differ.
  if (username.trim() !== username) return 'the name has spaces around it'
  return undefined
}

/** A server that ends texts at a NUL, or prepares them as RFC 4013 says, may see an empty one: an anonymous bind. */
function faultOfPassword(password: string): string | undefined {
  if (password === '') return 'the password is empty'
  if (Buffer.byteLength(password) > longestPassword) return 'the password is too long'
  if (!password.isWellFormed()) return 'the password is not Unicode'
  if (password.includes('\0')) return 'the password holds a NUL'
  if (/^[\p{Default_Ignorable_Code_Point}\p{Cf}]*$/u.test(password)) return 'the password is blank'
  return undefined
}
