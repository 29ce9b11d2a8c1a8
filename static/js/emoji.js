// A short list of emoji, by group, each with the words it is found by. Short on purpose: what chat uses.

/** One per line: the character, then its words. The first word is its name. */
const LISTS = {
  Faces: `
😀 grin smile happy|😃 smile happy open|😄 laugh happy eyes|😁 beam teeth grin|😆 laughing squint xd|😅 sweat nervous phew
😂 joy tears lol laugh|🤣 rofl rolling lol|🥲 touched tear smile|😊 blush warm happy|😇 angel innocent halo|🙂 slight smile
🙃 upside-down irony|😉 wink flirt|😌 relieved calm|😍 heart-eyes love|🥰 adore hearts love|😘 kiss love|😋 yum tasty
😛 tongue playful|😜 zany wink tongue|🤪 crazy goofy|🤨 raised-eyebrow doubt sus|🧐 monocle inspect|🤓 nerd glasses
😎 cool sunglasses|🤩 star-struck wow|🥳 party celebrate birthday|😏 smirk|😒 unamused meh|😞 disappointed sad|😔 pensive sad
😟 worried|😕 confused|🙁 frown sad|😣 persevere struggle|😖 confounded|😫 tired|😩 weary|🥺 pleading please puppy
😢 cry sad tear|😭 sob crying sad|😤 huff triumph|😠 angry|😡 rage mad|🤬 swearing cursing|🤯 mind-blown exploding
😳 flushed embarrassed|🥵 hot sweating|🥶 cold freezing|😱 scream shock|😨 fearful afraid|😰 anxious sweat|😥 sad relieved
🤗 hug|🤔 thinking hmm|🫣 peeking|🤭 giggle oops|🤫 shush quiet|🤥 lying pinocchio|😶 speechless mute|😐 neutral
😑 expressionless|😬 grimace awkward|🙄 eye-roll|😯 hushed surprised|😮 wow open|😲 astonished|🥱 yawn bored|😴 sleep zzz
🤤 drool|😪 sleepy|😵 dizzy knocked-out|🤐 zipper sealed|🥴 woozy|🤢 sick nausea|🤮 vomit|🤧 sneeze|😷 mask ill
🫡 salute respect yes-sir|🫠 melting|🤑 money rich|🤠 cowboy|😈 devil evil|👿 imp angry|👹 ogre|💀 skull dead lol|☠️ crossbones death
👻 ghost boo|👽 alien|🤖 robot bot|💩 poop|😺 cat smile|😹 cat joy|🙀 cat scream|😻 cat love`,
  Hands: `
👋 wave hello hi bye|🤚 back-hand|✋ stop high-five|🖖 vulcan|👌 ok perfect|🤌 pinched italian|🤏 tiny pinch|✌️ peace victory
🤞 luck fingers-crossed|🫰 snap|🤟 love-you|🤘 rock metal horns|🤙 call shaka|👈 left|👉 right|👆 up|👇 down this|☝️ point one
👍 thumbs-up yes good like|👎 thumbs-down no bad|✊ fist|👊 punch bump|🤛 left-fist|🤜 right-fist|👏 clap applause gg|🙌 raise praise hooray
🫶 heart-hands love|👐 open-hands|🤲 palms|🤝 handshake deal gg|🙏 pray thanks please|✍️ writing|💪 muscle strong flex|🧠 brain smart big
👀 eyes look sus|👁️ eye|👂 ear listen|👄 mouth|🫵 you point|🙋 raise-hand question|🤷 shrug dunno|🤦 facepalm|💁 sassy|🙅 no|🙆 okay|🕺 dance man|💃 dance woman`,
  Hearts: `
❤️ heart red love|🧡 heart orange|💛 heart yellow|💚 heart green|💙 heart blue|💜 heart purple|🖤 heart black|🤍 heart white|🤎 heart brown|🩷 heart pink
💔 broken heart sad|❣️ heart exclamation|💕 two-hearts|💞 revolving hearts|💓 beating heart|💗 growing heart|💖 sparkling heart|💘 cupid heart arrow|💝 heart ribbon|💯 hundred perfect
💢 anger|💥 boom explosion|💫 dizzy star|💦 sweat drops|💨 dash fast|💤 zzz sleep|🔥 fire hot lit|✨ sparkles magic|⭐ star|🌟 glowing star|⚡ lightning hype`,
  Play: `
🎉 party tada celebrate|🎊 confetti|🎈 balloon|🎁 gift present|🏆 trophy win gg|🥇 gold first|🥈 silver second|🥉 bronze third|🏅 medal
🎮 game controller|🕹️ joystick|👾 invader game pixel|🎯 dart target|🎲 dice luck|🧩 puzzle|♟️ chess pawn|🃏 joker card|🎰 slot casino
⚽ football soccer|🏀 basketball|🏈 american-football|⚾ baseball|🎾 tennis|🏐 volleyball|🏓 ping-pong|🥊 boxing|🏎️ race car|🚴 bike
🎵 note music|🎶 notes music|🎤 microphone sing|🎧 headphones|🎸 guitar|🥁 drum|🎹 piano|🎷 saxophone|🎺 trumpet|🎻 violin|🎬 clapper film|🎥 camera film|🎨 art paint|🎭 theatre drama
🎃 pumpkin halloween|🎄 tree christmas|🎅 santa christmas|🧨 firecracker|🎆 fireworks`,
  Nature: `
🐶 dog|🐱 cat|🐭 mouse|🐹 hamster|🐰 rabbit|🦊 fox|🐻 bear|🐼 panda|🐨 koala|🐯 tiger|🦁 lion|🐮 cow|🐷 pig|🐸 frog kek|🐵 monkey
🙈 see-no-evil|🙉 hear-no-evil|🙊 speak-no-evil|🐔 chicken|🐧 penguin|🐦 bird|🦆 duck|🦅 eagle|🦉 owl|🐺 wolf|🐴 horse|🦄 unicorn|🐝 bee|🦋 butterfly
🐢 turtle|🐍 snake|🦖 dinosaur t-rex|🐙 octopus|🦀 crab|🐠 fish|🐬 dolphin|🐳 whale|🦈 shark|🐊 crocodile|🐘 elephant|🦒 giraffe|🐐 goat best|🐑 sheep
🌹 rose|🌻 sunflower|🌸 blossom|🍀 clover luck|🌵 cactus|🌴 palm|🌲 tree|🍄 mushroom|🌍 earth world|🌙 moon night|☀️ sun|🌈 rainbow|☁️ cloud|🌧️ rain|❄️ snow cold|⛄ snowman|🌊 wave water|🌪️ tornado`,
  Food: `
🍎 apple|🍌 banana|🍇 grapes|🍓 strawberry|🍉 watermelon|🍑 peach|🍍 pineapple|🥑 avocado|🌶️ chili spicy|🌽 corn|🥕 carrot|🥐 croissant|🍞 bread|🧀 cheese|🥚 egg|🥓 bacon
🍔 burger|🍟 fries|🍕 pizza|🌭 hotdog|🌮 taco|🌯 burrito|🍝 pasta|🍜 ramen noodles|🍣 sushi|🍚 rice|🍗 chicken leg|🥩 steak|🥗 salad|🍿 popcorn drama
🍩 donut|🍪 cookie|🎂 cake birthday|🍰 cake slice|🍫 chocolate|🍬 candy|🍭 lollipop|🍦 ice-cream|☕ coffee|🍵 tea|🥤 drink soda|🍺 beer cheers|🍻 beers cheers|🥂 toast cheers|🍷 wine|🍹 cocktail|🥛 milk|🧃 juice`,
  Things: `
💰 money bag|💵 dollar money|💎 gem diamond|👑 crown king queen|🎓 graduate|🎩 hat|👓 glasses|🕶️ sunglasses|📱 phone|💻 laptop|🖥️ desktop computer|⌨️ keyboard|🖱️ mouse click|💾 save floppy|📷 camera|📺 tv|🔋 battery|🔌 plug
💡 idea light|🔦 torch|🔧 wrench fix|🔨 hammer ban|🛠️ tools|⚙️ gear settings|🔑 key|🔒 lock|🔓 unlock|🛡️ shield mod|⚔️ swords fight|🏹 bow|💣 bomb|🧪 potion|💊 pill|🚀 rocket launch|✈️ plane|🚗 car|🚌 bus|🚲 bicycle|🚢 ship|🏠 home house|⛺ tent|🏰 castle
📌 pin|📎 clip|✏️ pencil|📝 memo note|📚 books|📅 calendar|⏰ alarm|⏳ hourglass wait|📢 announce loud|🔔 bell notify|🔇 mute|🔊 loud volume|🗑️ trash|🛒 cart|🎟️ ticket|🧢 cap`,
  Signs: `
✅ check yes done|❌ cross no wrong|❓ question|❗ exclamation|‼️ double exclamation|⚠️ warning|🚫 forbidden no|⛔ stop|♻️ recycle|➕ plus|➖ minus|➡️ right arrow|⬅️ left arrow|⬆️ up arrow|⬇️ down arrow|🔄 refresh again
🔴 red live|🟠 orange|🟡 yellow|🟢 green|🔵 blue|🟣 purple|⚫ black|⚪ white|🟥 red square|🟩 green square|🟦 blue square|⏯️ play pause|⏩ fast|⏪ rewind|⏸️ pause|🆕 new|🆒 cool|🆗 ok|🆘 help sos|🔝 top|1️⃣ one|2️⃣ two|3️⃣ three|4️⃣ four|5️⃣ five
🏁 finish flag|🚩 red-flag|🏳️‍🌈 pride rainbow flag|🏴‍☠️ pirate flag|™️ trademark|♾️ infinity`,
};

/** `[{title, emoji: [{text, words}]}]` in the order shown. */
export const GROUPS = Object.freeze(Object.entries(LISTS).map(([title, list]) => ({
  title,
  emoji: list.trim().split(/[|\n]/).map((it) => {
    const [text, ...words] = it.trim().split(" ");
    return { text, words };
  }),
})));

/** What is found by every word of `query`, the better ones first: a word that begins so beats one that holds it. */
export function find_emoji(query, list = GROUPS.flatMap((it) => it.emoji)) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return list;
  const seen = new Set();
  return list
    .map((it) => ({ it, rank: rank(it.words, wanted) }))
    .filter(({ it, rank: place }) => place < Infinity && !seen.has(it.text) && seen.add(it.text))
    .sort((one, other) => one.rank - other.rank)
    .map(({ it }) => it);
}

function rank(words, wanted) {
  const worst = wanted.map((part) => {
    let best = Infinity;
    words.forEach((word, at) => {
      const lower = word.toLowerCase();
      const place = lower === part ? 0 : lower.startsWith(part) ? 1 : lower.includes(part) ? 3 : Infinity;
      best = Math.min(best, place + (at ? 0.5 : 0));
    });
    return best;
  });
  return worst.reduce((sum, it) => sum + it, 0);
}
