/**
 * CVE-2017-15361: a chip library made primes of the form k * M + (65537^a mod M), M being the product of the first
 * primes. Such a modulus can be factored, and it is known by what it leaves modulo small primes: always a power of
 * 65537. A sound modulus passes for one with a probability of about 2^-28.
 */
export function hasRocaShape(modulus: bigint): boolean {
  return fingerprints.every(([prime, powers]) => powers.has(Number(modulus % prime)))
}

const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
  103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

const fingerprints = primes.map((prime) => [BigInt(prime), powersOf65537(prime)] as const)

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power)
  return powers
}
