// How good a password is, by the one thing that counts and can be seen here: its length.

export const FEWEST = 10;

/** `{level, full, words}`: level 0 (too short) to 3, and how full the meter is (%). */
export function strength_of(password) {
  const length = [...password].length;
  if (!length) return { level: 0, full: 0, words: `At least ${FEWEST} characters. A few words make a good one.` };
  if (length < FEWEST) {
    const more = FEWEST - length;
    return { level: 0, full: 6 * length, words: more === 1 ? "One more character." : `${more} more characters.` };
  }
  if (length < 14) return { level: 1, full: 70, words: "Good. Longer is better." };
  if (length < 20) return { level: 2, full: 86, words: "Strong." };
  return { level: 3, full: 100, words: "Very strong." };
}
