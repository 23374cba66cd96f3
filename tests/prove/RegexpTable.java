// RegexpTable.java - makes regexp_table.txt: what java.util.regex finds, for random patterns.
//
//   java tests/prove/RegexpTable.java COUNT SEED > tests/prove/regexp_table.txt
//
// Needed only to make the table anew; the proof reads the table and needs no Java. A line is one
// case, its fields separated by tabs: pattern, text, replacement, and what the functions give: all
// matches, all first groups, the replaced text, the parts. Lists have ',' behind each element,
// '~' is NULL. In a field \ hides \ , ~ as \\ \c \w and tab, line feed, carriage return as \t \n \r.
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.regex.*;

public class RegexpTable {
    static Random dice;
    static int groups, names;
    static int plain; // inside of what keeps, in Java, groups of ways that failed: none are made

    static <T> T pick(T... items) {
        return items[dice.nextInt(items.length)];
    }

    static boolean chance(double of) {
        return dice.nextDouble() < of;
    }

    // == Patterns ==

    static String literal() {
        return pick("a", "b", "c", "a", "b", "A", "B", "1", "2", " ", "x", "ab", "_", "-", "é", "É", "😀", "k", "s", "K", "&", "]", "}", ",", "ß", "Σ",
                    "ς", "i", "I", "\u0130", "\u212a", "\u017f", "=", "#", "\u2028", "\u0300");
    }

    static String escape() {
        return pick("\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\h", "\\H", "\\v", "\\V", "\\.", "\\\\", "\\t", "\\n", "\\r", "\\x41", "\\x{62}", "\\u0061",
                    "\\ud83d\\ude00", "\\0101", "\\07", "\\cA", "\\e", "\\a", "\\f", "\\-", "\\$", "\\é", "\\Qa.b\\E", "\\Q*\\E", "\\_");
    }

    static String property() {
        String name = pick("Lower", "Upper", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit", "Space", "ASCII", "L", "Lu",
                           "Ll", "N", "P", "S", "Z", "LC", "LD", "L1", "all", "M", "Mn", "IsAlphabetic", "IsLatin", "IsGreek", "isLatin", "IsLowercase",
                           "IsUppercase", "IsWhite_Space", "IsPunctuation", "IsDigit", "IsLetter", "IsL", "javaLowerCase", "javaUpperCase", "javaWhitespace",
                           "javaLetterOrDigit", "javaJavaIdentifierStart", "javaJavaIdentifierPart", "javaMirrored", "javaISOControl", "javaTitleCase",
                           "InBasicLatin", "InGreek", "InLatin-1Supplement", "script=Greek", "sc=Latn", "gc=Lu", "general_category=Ll", "block=Greek",
                           "IsIdeographic", "IsTitlecase", "IsControl", "IsHex_Digit", "IsAssigned", "IsWord", "IsAlnum", "IsCurrency", "Nope", "IsNope", "LU");
        return (chance(0.25) ? "\\P{" : "\\p{") + name + "}";
    }

    static String setItem(int depth) {
        switch (dice.nextInt(depth > 0 ? 10 : 7)) {
        case 0: case 1: return pick("a", "b", "c", "x", "1", "-", "^", "&", "é", ".", " ", "$", "s", "k", "😀", "]", "i");
        case 2: return pick("a-c", "A-Z", "0-9", "b-y", "a-z", "é-ÿ", " -~", "X-c", "\\x20-\\x2f", "Α-ω", "a-\\x63", "c-a");
        case 3: return escape();
        case 4: return property();
        case 5: return pick("\\d", "\\w", "\\s", "\\W", "\\D");
        case 6: return pick("a", "b", "c");
        case 7: return set(depth - 1);
        case 8: return "&&" + (chance(0.5) ? set(depth - 1) : pick("a-f", "\\w", "b", "[b]c", "^a"));
        default: return setItem(depth - 1);
        }
    }

    static String set(int depth) {
        StringBuilder made = new StringBuilder(chance(0.3) ? "[^" : "[");
        for (int i = 1 + dice.nextInt(3); i > 0; i--)
            made.append(setItem(depth));
        return made.append(chance(0.02) ? "" : "]").toString();
    }

    static String group(int depth) {
        String flags = pick("i", "m", "s", "d", "u", "x", "iu", "U", "i-s", "-i", "ms", "");
        switch (dice.nextInt(12)) {
        case 0: case 1: case 2: case 3:
            if (plain == 0) {
                groups++;
                return "(" + alternation(depth - 1) + ")";
            }
            // falls through
        case 4: case 5: return "(?:" + alternation(depth - 1) + ")";
        case 6: case 7:
            plain++;
            String inside = alternation(depth - 1);
            plain--;
            return pick("(?=", "(?!", "(?>", "(?>") + inside + ")";
        case 8: return pick("(?<=", "(?<!") + pick(behind(), behind() + "|" + behind(), behind() + behind()) + ")";
        case 9:
            if (plain > 0)
                return "(?:" + alternation(depth - 1) + ")";
            groups++;
            names++;
            return "(?<n" + names + ">" + alternation(depth - 1) + ")";
        case 10: return "(?" + flags + ":" + alternation(depth - 1) + ")";
        default: return "(?" + flags + ")";
        }
    }

    static String behind() {
        return pick("a", "b", "ab", "[ab]", "\\w", ".", "^", "\\b", "\\n", "a{2}", "a{1,3}", "b?", "(?:a|bc)", "x", "\\d");
    }

    static String atom(int depth) {
        switch (dice.nextInt(16)) {
        case 0: case 1: case 2: case 3: case 4: return literal();
        case 5: return escape();
        case 6: return property();
        case 7: return set(2);
        case 8: return ".";
        case 9: return pick("^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z", "\\G", "\\R", "$", "^", "\\b");
        case 10: return groups > 0 && chance(0.8) ? pick("\\" + (1 + dice.nextInt(groups)), names > 0 ? "\\k<n" + (1 + dice.nextInt(names)) + ">" : "\\1")
                                                  : pick("\\1", "\\2", "\\11", "\\k<no>");
        case 11: case 12: case 13: return depth > 0 ? group(depth) : literal();
        case 14: return pick("a*", ".*", "\\w+", "[ab]*", "\\d+", "\\s*", ".+?", "[^,]*");
        default: return chance(0.1) ? pick("{", "*", "+", "(", ")", "[", "\\", "?", "\\y", "\\x4", "\\u12", "\\08", "\\p{L", "(?z)", "a{2,1}", "\\c", "[b-a]", "\\E")
                                    : literal();
        }
    }

    static String quantifier() {
        return pick("", "", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}", "{0}") + pick("", "", "", "?", "+");
    }

    // Repeated groups that match nothing are set by one and not by the other.
    static boolean mayBeEmpty(String atom) {
        if (groups == 0)
            return false;
        try {
            for (String sample : new String[] {"", "a", "ab 1", "\n", "é,A"}) {
                Matcher matcher = Pattern.compile(atom).matcher(sample);
                while (matcher.find())
                    if (matcher.end() == matcher.start())
                        return true;
            }
            return atom.contains("\\"); // what follows a reference is not known
        } catch (PatternSyntaxException error) {
            return true;
        }
    }

    static String sequence(int depth) {
        StringBuilder made = new StringBuilder();
        for (int i = dice.nextInt(4); i >= 0; i--) {
            String atom = atom(depth);
            made.append(atom);
            if (chance(0.4)) {
                String many = quantifier();
                if (atom.startsWith("(") && many.matches(".+\\+")) // possessive
                    many = many.substring(0, many.length() - 1);
                if (atom.startsWith("(") && atom.contains("(") && mayBeEmpty(atom))
                    many = "";
                made.append(many.matches("[?+]") && atom.matches(".*[*+?]|") ? "" : many);
            }
        }
        return made.toString();
    }

    static String alternation(int depth) {
        StringBuilder made = new StringBuilder(sequence(depth));
        while (chance(0.2))
            made.append('|').append(chance(0.1) ? "" : sequence(depth));
        return made.toString();
    }

    static String pattern() {
        groups = names = 0;
        String flags = chance(0.25) ? "(?" + pick("i", "m", "s", "iu", "x", "d", "U", "im", "ms", "md", "ix") + ")" : "";
        return flags + alternation(3);
    }

    static String text() {
        StringBuilder made = new StringBuilder();
        for (int i = dice.nextInt(chance(0.1) ? 25 : 9); i > 0; i--)
            made.append(pick("a", "b", "c", "ab", "aa", "A", "B", "1", "2", " ", "x", "_", "-", "é", "É", "😀", "k", "K", "s", "S", "\n", "\r\n", "\r", "\u0085",
                             "\u2028", "\t", ",", "ß", "Σ", "ς", "σ", "\u212a", "\u017f", "i", "I", "\u0130", "\u0131", "\u0300", ".", "=", "#", "ω", "\u00a0",
                             "a.b", "*", "]", "}", "&", "^", "$", "中", "1", "b", "a"));
        return made.toString();
    }

    static String replacement() {
        return pick("", "-", "$0", "<$0>", "$1", "[$1$2]", "$12", "\\$", "\\\\", "${n1}", "${no}", "$", "x\\", "é$1", "$0$0", "\\a", "$a", "${n1");
    }

    // == Results ==

    static String hidden(String text) {
        if (text == null)
            return "~";
        return text.replace("\\", "\\\\").replace(",", "\\c").replace("~", "\\w").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
    }

    static String list(List<String> items) {
        if (items == null)
            return "~";
        StringBuilder made = new StringBuilder();
        for (String item : items)
            made.append(hidden(item)).append(',');
        return made.toString();
    }

    static List<String> all(Pattern pattern, String text, int group) {
        List<String> found = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        if (group > matcher.groupCount())
            return null;
        while (matcher.find())
            found.add(matcher.group(group));
        return found;
    }

    // Every part; an empty match where a part begins only moves the search on by one character.
    static List<String> parts(Pattern pattern, String text) {
        if (pattern.pattern().isEmpty() || pattern.matcher("").matches())
            return Arrays.asList(pattern.split(text));
        List<String> found = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        int part = 0, from = 0;
        while (from <= text.length() && matcher.find(from)) {
            if (matcher.end() == part) {
                from = matcher.end() + 1;
                continue;
            }
            found.add(text.substring(part, matcher.start()));
            part = from = matcher.end();
        }
        found.add(text.substring(part));
        return found;
    }

    static String replaced(Pattern pattern, String text, String with) {
        try {
            return pattern.matcher(text).replaceAll(with);
        } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
            return null;
        }
    }

    static boolean loneHalves(String text) {
        for (int i = 0; text != null && i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isHighSurrogate(unit) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1)))
                i++;
            else if (Character.isSurrogate(unit))
                return true;
        }
        return false;
    }

    public static void main(String[] args) throws Exception {
        dice = new Random(Long.parseLong(args[1]));
        StringBuilder out = new StringBuilder();
        for (int i = Integer.parseInt(args[0]); i > 0;) {
            String pattern = pattern(), text = text(), with = replacement();
            String line;
            try {
                Pattern compiled = Pattern.compile(pattern);
                line = list(all(compiled, text, 0)) + "\t" + list(all(compiled, text, 1)) + "\t" + hidden(replaced(compiled, text, with)) + "\t" +
                       list(parts(compiled, text));
            } catch (PatternSyntaxException error) {
                line = "~\t~\t~\t~";
            }
            if (loneHalves(line)) // no UTF-8 for it
                continue;
            out.append(hidden(pattern)).append('\t').append(hidden(text)).append('\t').append(hidden(with)).append('\t').append(line).append('\n');
            i--;
        }
        System.out.write(out.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }
}
