/**
 * An exact decimal number: `units / 10^scale`. Sizes in policies may exceed 2^53, where doubles would call
 * neighbours equal.
 */
export type Decimal = Readonly<{
  units: bigint
  scale: number
  /** The same number as a double, when it is a whole one below 2^53. */
  small: number | undefined
}>

const decimalPattern = /^([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?$/
const maxLength = 100
const maxExponent = 308

/** `undefined`: not a decimal number, or longer than any honest one. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > maxLength) return undefined
  const [, sign, whole, fraction = '', exponentText = '0'] = decimalPattern.exec(text) ?? []
  if (whole === undefined) return undefined
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > maxExponent) return undefined
  const digits = BigInt(whole + fraction)
  return normalise(sign === '-' ? -digits : digits, fraction.length - exponent)
}

/** Below zero, zero, above zero. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.small !== undefined && right.small !== undefined) return left.small - right.small
  const scale = Math.max(left.scale, right.scale)
  const difference = scaled(left, scale) - scaled(right, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The one way to write this number: no exponent, no needless zeros. */
export function decimalText(number: Decimal): string {
  const digits = (number.units < 0n ? -number.units : number.units).toString()
  const sign = number.units < 0n ? '-' : ''
  if (number.scale === 0) return sign + digits
  const padded = digits.padStart(number.scale + 1, '0')
  return `${sign}${padded.slice(0, -number.scale)}.${padded.slice(-number.scale)}`
}

function normalise(units: bigint, scale: number): Decimal {
  if (scale < 0) return normalise(units * 10n ** BigInt(-scale), 0)
  let [reducedUnits, reducedScale] = [units, scale]
  while (reducedScale > 0 && reducedUnits % 10n === 0n) {
    reducedUnits /= 10n
    reducedScale -= 1
  }
  const double = Number(reducedUnits)
  const small = reducedScale === 0 && Number.isSafeInteger(double) ? double : undefined
  return { units: reducedUnits, scale: reducedScale, small }
}

function scaled(number: Decimal, scale: number): bigint {
  return number.units * 10n ** BigInt(scale - number.scale)
}
