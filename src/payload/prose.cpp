// The vocabulary and the sentence patterns. Both are part of the format: a changed word changes every text.
// SPDX-License-Identifier: Apache-2.0
#include "payload/prose.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/result.hpp"

namespace lab {
namespace {

constexpr std::string_view kDeterminers =
    "the the the the the the the the a a a a this that each every another one some no its his her their our "
    "my "
    "any either neither such what which";

constexpr std::string_view kAdjectives =
    "able active aged amber ancient angry annual arctic ashen awkward bare basic better bitter blank blue "
    "bold "
    "brave brief bright brisk broad broken brown busy calm careful certain cheap civil clean clear clever "
    "cloudy "
    "coastal cold common complex cool correct costly crooked cruel curious daily damp dark dear deep dense "
    "distant "
    "double dry dull eager early eastern easy elder empty entire equal even exact extra faint fair faithful "
    "false "
    "familiar famous fast feeble fertile fierce final fine firm first flat foreign formal former fragile "
    "free "
    "fresh friendly frozen full gentle giant glad golden good gradual grand grave great green grey happy "
    "hard "
    "harsh hasty hazel heavy hidden high hollow honest hot huge humble humid idle inner iron ivory joint "
    "just "
    "keen kind large last late lazy leading light little local lonely long loose loud loyal lucky lunar main "
    "major massive mature mellow mild minor misty modern modest moral muddy mutual naive narrow native naval "
    "neat "
    "new noble noisy normal northern novel numb obvious odd old open outer pale partial patient perfect "
    "plain "
    "pleasant polite poor popular precise present pretty private prompt proper proud public pure quick quiet "
    "rapid "
    "rare raw ready real recent red remote rich rigid rival rough round royal rural sad safe salty scarce "
    "second "
    "secret senior serious severe shallow sharp short silent silver simple single slender slow small smooth "
    "sober "
    "soft solar solid southern spare special stable steady steep stern stiff still strange strict strong "
    "sudden "
    "sunny sweet swift tall tame tender thick thin third tidy timid tiny tired total tough true upper urban "
    "urgent "
    "useful usual vague vain vast violent vivid warm weak wealthy western wet whole wide wild wise wooden "
    "worthy "
    "young";

constexpr std::string_view kNouns =
    "account acre actor address advice agent air alarm album alley anchor animal answer apple apron arch "
    "archive area argument arm army arrow article artist atlas attic author autumn axe baker balance "
    "balcony ball band bank banner bar bargain barn barrel basin basket battery bay beach beam bear bed "
    "bell belt bench bill bird blanket block boat body bone book border bottle boundary bowl box boy "
    "branch bread breeze brick bridge broom brother bucket building bundle butter button cabin cabinet "
    "cable café cake calendar camera camp canal candle canvas canyon capital captain card cargo carpet "
    "carriage case castle cathedral cattle cause cave cellar century chain chair chamber channel chapel "
    "chapter charter chest chief child chimney choice church circle citizen city clay clerk cliff climate "
    "clock cloth cloud coal coast coat coin collar colony colour column comet committee compass concert "
    "contract copper copy corner cottage cotton council country courier course court cousin crane crew "
    "cross crowd crown cup current curtain customer cycle dam danger daughter dawn day debt decade deck "
    "decree deer delta desert design desk detail diary dinner director dish district ditch doctor "
    "document dog door dozen draft drawer drawing dress driver drum duke dust duty eagle earth echo edge "
    "editor effort egg election emperor engine engineer essay estate evening event exhibit façade "
    "factory fair family farm farmer father feather fence ferry festival field figure film fire fish flag "
    "flame fleet floor flour flower fog forest fork form fort fortune fountain fox frame friend fruit "
    "funeral furnace game garden gate general ghost gift girl glacier glass glove goat gold grain granite "
    "grass grave group guard guest guide guitar gulf hall hammer hand harbour harvest hat hawk head "
    "hearth hedge helmet herd hill history hive home honey hook horizon horse hospital hotel hour house "
    "hunter hut ice idea image index inn ink insect inventor iron island jar jewel journal journey judge "
    "juice jungle jury kettle key king kitchen kite knife knight ladder lady lake lamb lamp land lantern "
    "law lawyer leaf league leather legend lemon lesson letter library lighthouse limit line lion list "
    "lock log machine magazine maid map marble march margin mark market marsh mask mast master match "
    "meadow meal measure medal melody memory merchant message metal meteor method mill miner minister "
    "minute mirror mist model moment monastery monk month monument moon morning mother motor mountain "
    "mouth museum music needle neighbour nest net newspaper night north note notebook number nurse oak "
    "oar oasis object ocean office officer oil olive orchard orchestra order organ outline owl owner page "
    "pain painter palace palm paper parade parcel parish park parliament passage patent path patient "
    "pattern peak pearl pebble pen pencil people pepper phrase piano picture pier pigeon pillar pilot "
    "pine pipe pirate plain plan planet plant plate platform poem poet pond pony port portrait post "
    "potato pottery powder prayer price priest prince printer prison profit province pump puzzle quarry "
    "quarter queen question quilt rabbit railway rain reader reason rebel recipe record reef region "
    "report republic rescue reward rhythm ribbon rice rider ring river road rock roof room root rope rose "
    "route rule ruler sail sailor saint salt sand school science scout screen sculptor sea season seat "
    "secret seed senate sentence servant shadow sheep shelf shell shepherd ship shirt shop shore shoulder "
    "signal silk silver singer sister sketch skin sky slope smoke snow soap soil soldier song sound soup "
    "south space spark speech spice spider spirit spoon spring square stable stadium staff stage stair "
    "stamp star statement station statue steam steel stem stone store storm story stove stranger straw "
    "stream street string student studio study subject suburb sugar suit summer summit sun supper surface "
    "surgeon swamp swan sword symbol table tailor tale target task tavern tax teacher temple tent term "
    "theatre theory thread throne thunder ticket tide tiger timber title tool tower town track trade "
    "trader tradition trail train travel treasure treaty tree trial tribe tribute trip trumpet truth "
    "tunnel twin uncle union valley value vase vault vessel village vine violin visit visitor voice "
    "volcano volume voyage wagon wall war warden watch water wave wax weather weaver wedding week well "
    "west whale wheat wheel whisper widow wife wind window wine wing winter witness wolf woman wood wool "
    "word work worker workshop world wound writer yard year zone";

constexpr std::string_view kVerbs =
    "accepted admired admitted adopted announced answered approached arranged asked assembled attacked "
    "avoided "
    "balanced banned began believed borrowed bought broke brought built buried burned called carried carved "
    "caught caused changed chased checked chose claimed cleaned cleared climbed closed collected compared "
    "completed "
    "considered copied corrected counted covered crossed cut damaged decided declared defended delayed "
    "delivered "
    "demanded denied described designed destroyed discovered discussed divided doubted drew dropped earned "
    "emptied "
    "ended enjoyed entered escaped examined expected explained explored failed feared filled finished fixed "
    "followed forced forgave forgot found founded gathered gave governed greeted guarded guided handled "
    "heard held "
    "helped hid hired imagined improved inherited inspected invented invited joined judged kept kicked "
    "kissed knew "
    "launched learned left lent lifted liked lit loaded locked lost loved made managed marked married "
    "matched "
    "measured mended mentioned met missed mixed moved named needed noticed obeyed offered opened ordered "
    "owned "
    "packed painted passed paid placed planned planted played polished praised prepared pressed printed "
    "produced "
    "promised protected proved published pulled purchased pushed put questioned raised reached read rebuilt "
    "recalled received recorded refused regretted remembered removed rented repaired repeated replaced "
    "reported "
    "rescued respected restored returned revealed ruled sang saved saw searched sent served settled shaped "
    "shared "
    "shook showed shut signed sketched sold solved sorted spared spent split spoiled stole stopped stored "
    "studied "
    "suggested supplied supported surprised surrounded surveyed suspected swept taught tested thanked threw "
    "tied "
    "told took touched traced traded trained translated treated trusted turned understood used valued "
    "visited "
    "wanted warned washed wasted watched welcomed won wore wrapped wrote";

constexpr std::string_view kAdverbs =
    "again almost already also always badly barely boldly bravely briefly calmly carefully clearly closely "
    "coldly "
    "daily deeply early easily eagerly entirely even finally firmly fully gently gladly hardly hastily hence "
    "here "
    "highly honestly instead just kindly lately later loudly meanwhile merely mostly nearly neatly never "
    "nobly "
    "often once openly partly perhaps plainly politely promptly proudly quickly quietly rarely rather "
    "readily "
    "recently sadly safely scarcely seldom sharply silently simply slowly smoothly softly somehow soon "
    "steadily "
    "still strictly suddenly surely there therefore today together tomorrow twice usually warmly weekly "
    "wisely "
    "yearly yesterday";

constexpr std::string_view kPrepositions =
    "about above across after against along among around at before behind below beneath beside between "
    "beyond by "
    "despite during for from in in in inside into near near of of of of off on on on onto opposite outside "
    "over "
    "past round since through to to toward under until upon via with with with within without";

constexpr std::string_view kNames =
    "Ada Adam Agnes Alan Albert Alice Amir Ana Anders André Anna Anton Aoife Arne Arthur Astrid Aurélie "
    "Beatriz Björn Boris Bruno Carla Carmen Cécile Chiara Chloé Clara Daniel David Diego Dmitri Dora "
    "Edith Edward Elena Elif Élodie Emil Emma Enzo Erik Esther Eva Fatima Felix Fiona Florence "
    "Françoise Frida George Gita Grace Greta Günther Gustav Hanna Harald Helen Henry Hugo Ida Ingrid "
    "Irene Isaac Ivan Jakub Jan Jane Joan João Johan José Julia Jürgen Kaja Karim Karl Kateřina Klara "
    "Knut Laila Lars Laura Léa Leon Lina Lorenzo Louise Łukasz Lucia Magnus María Marco Marie Martin "
    "Mary Matteo Maya Mehmet Mina Mira Nadia Neil Nils Nina Noah Nora Olga Oliver Omar Oskar Pablo Paul "
    "Pedro Peter Petra Pilar Rafael Rania Rosa Ruth Sami Samuel Sara Sean Sigrid Sofia Søren Stefan "
    "Susan Tamara Tariq Teresa Thomas Tomáš Ulla Vera Victor Vilma Walter Wanda Xavier Yara Yusuf Zoë "
    "Zofia";

constexpr std::string_view kPlaces =
    "Aachen Aarhus Accra Ankara Antwerp Athens Bari Basel Bergen Berlin Bern Bilbao Bologna Bordeaux "
    "Boston Braga Bremen Brest Bristol Brno Brussels Cádiz Cairo Cardiff Chicago Cologne Córdoba Cork "
    "Dakar Delhi Dover Dresden Dublin Essen Évora Exeter Florence Gdańsk Geneva Genoa Ghent Glasgow "
    "Göteborg Graz Halifax Hamburg Hanoi Helsinki İzmir Kaunas Kiel Kobe Köln Kraków Kyoto Lagos "
    "Leeds Leiden Leipzig Lima Linz Lisbon Łódź London Lund Lyon Madrid Málaga Malmö Manila Mexico "
    "Milan Montréal Munich München Nagoya Nairobi Nantes Naples Narvik Nice Odense Odessa Osaka Oslo "
    "Ottawa Oulu Oxford Padua Palermo Paris Perth Pisa Porto Poznań Prague Quebec Quito Reykjavík Riga "
    "Rome Rouen Santiago Seattle Seoul Sevilla Sofia Split Stockholm Sydney Tallinn Tampere Tartu Tokyo "
    "Toledo Toronto Toulouse Trieste Tromsø Tunis Turin Turku Umeå Uppsala Utrecht Valencia Venice "
    "Vienna Vilnius Warsaw York Zagreb Zürich";

/// One letter a word: d determiner, a adjective, n noun, v verb, r adverb, p preposition, N name, P place, y
/// year. A comma follows the word before it.
constexpr std::array<std::string_view, 32> kPatterns = {
    "dnvdn",         "danvdn",          "dnvdan",     "danvdan",      "dnpdnvdn",
    "dnvdnpdn",      "Nvdan",           "NvdnpP",     "pP,dnvdan",    "py,Nvdn",
    "r,dnvdn",       "rdanvdnpdn",      "pdn,dnvdan", "dnrvdnpdan",   "Nrvdnpdn",
    "danpPvdn",      "dnpdanvdanpdn",   "py,dnpPvdn", "Nvdnpdn,pdan", "dan,dan,rvdn",
    "pdan,NvdnpP",   "dnvdn,dn,dan",    "NpPvdnpdan", "danvdnpdnpy",  "dnpdnpdnvdan",
    "r,pdan,dnvdn",  "pP,pdn,Nvdanpdn", "dnvNpdanpP", "NvNpdnpdn",    "dan,pdnpP,vdanpdn",
    "danrvdanpdnpy", "pdnpdan,dnvdan",
};

constexpr WordClass class_of(char letter) {
  switch (letter) {
    case 'd':
      return WordClass::kDeterminer;
    case 'a':
      return WordClass::kAdjective;
    case 'n':
      return WordClass::kNoun;
    case 'v':
      return WordClass::kVerb;
    case 'r':
      return WordClass::kAdverb;
    case 'p':
      return WordClass::kPreposition;
    case 'N':
      return WordClass::kName;
    case 'P':
      return WordClass::kPlace;
    default:
      return WordClass::kYear;
  }
}

constexpr bool ends_a_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

void add_word(std::vector<Word>& words, std::string_view text) {
  Word word;
  LAB_CHECK(text.size() < word.text.size(), "a word and its space fit their 15 bytes");
  std::memcpy(word.text.data(), text.data(), text.size());
  word.text[text.size()] = ' ';
  word.length = static_cast<std::uint8_t>(text.size() + 1);
  words.push_back(word);
}

std::vector<Word> words_of(std::string_view list) {
  std::vector<Word> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    add_word(words, list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

}  // namespace

const Prose& Prose::instance() {
  static const Prose prose;
  return prose;
}

Prose::Prose() {
  const auto fill = [&](WordClass word_class, std::string_view list) {
    words_[static_cast<std::size_t>(word_class)] = words_of(list);
  };
  fill(WordClass::kDeterminer, kDeterminers);
  fill(WordClass::kAdjective, kAdjectives);
  fill(WordClass::kNoun, kNouns);
  fill(WordClass::kVerb, kVerbs);
  fill(WordClass::kAdverb, kAdverbs);
  fill(WordClass::kPreposition, kPrepositions);
  fill(WordClass::kName, kNames);
  fill(WordClass::kPlace, kPlaces);
  for (int year = 1500; year < 2012; ++year)
    add_word(words_[static_cast<std::size_t>(WordClass::kYear)], std::to_string(year));
  for (const std::string_view pattern : kPatterns) patterns_.push_back(steps_of(pattern));
}

std::vector<Prose::Step> Prose::steps_of(std::string_view pattern) {
  std::vector<Step> steps;
  for (const char letter : pattern) {
    if (letter == ',')
      steps.back().commas = 1;
    else
      steps.push_back({class_of(letter), 0});
  }
  return steps;
}

char* Prose::write_sentence(char* at, ContentStream& random) const {
  char* const begin = at;
  for (const Step step : patterns_[random.below(static_cast<std::uint32_t>(patterns_.size()))]) {
    at = write_word(at, step.word_class, random);
    // Without a branch: nobody can foresee where the commas are, the processor neither.
    at[0] = ' ';
    at[-1] = step.commas != 0 ? ',' : ' ';
    at += step.commas;
  }
  if (*begin >= 'a' && *begin <= 'z') *begin = static_cast<char>(*begin - 'a' + 'A');
  at[-1] = '.';
  *at++ = ' ';
  return at;
}

void end_cut_text(char* begin, char* end, std::string_view ending) {
  char* const cut = end - ending.size();
  std::memcpy(cut, ending.data(), ending.size());
  for (char* at = cut; at > begin && !ends_a_word(at[-1]); --at) at[-1] = 's';
}

char* write_hexadecimal(char* at, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[(value >> shift) & 0xFU];
  return at;
}

}  // namespace lab
