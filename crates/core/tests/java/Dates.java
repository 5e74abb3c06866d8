import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.text.ParsePosition;
import java.text.SimpleDateFormat;
import java.time.Instant;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Collections;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.TimeZone;

/**
 * Writes what Java's own SimpleDateFormat prints and reads, strictly, for patterns of the field and for random ones.
 *
 * <p>Usage: java Dates.java SEED CASES. Lines, separated by tabs:
 *
 * <pre>
 * F pattern zone      begins a group
 * P millis text back  the instant prints as text; reading it gives back ("=" the same, "-" refused)
 * R text millis       the text reads as the instant, or is refused ("-")
 * </pre>
 *
 * Two-digit years begin in 1970. The locale is English (United States).
 */
public final class Dates {
    private static final String[] FIELD = {
        "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ssZ", "MM/dd/yyyy HH:mm:ss",
        "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "EEE, dd MMM yyyy HH:mm:ss Z",
        "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "dd/MM/yyyy", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmz", "MM/dd/yyy'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
        "yyyy-MM-dd' 'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy/MM/dd HH:mm:ss", "MM/dd/yyyy'T'HH:mm:ssXXX",
        "MM/dd/yyyy", "dd/MM/yyyy'T'HH:mm:ssXXX",
    };
    private static final String[] ZONES = {
        "UTC", "GMT", "America/New_York", "America/Los_Angeles", "America/Chicago", "Europe/London", "Europe/Paris",
        "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe", "America/Havana",
        "America/Sao_Paulo", "GMT-08:00", "GMT+05:30",
    };
    private static final String[] DATES = {
        "yyyy-MM-dd", "yyyyMMdd", "dd.MM.yyyy", "M/d/yyyy", "MM/dd/yy", "d MMM y", "MMMM d, yyyy", "EEE MMM dd yyyy",
        "EEEE, d MMMM yyyy", "yyyy-DDD", "yyyyDDD", "YYYY-'W'ww-u", "E w YYYY", "yyyy MM W E", "yyyy-MM-F-u",
        "yyyy-MM", "yyyy", "G yyyy MM dd", "dd-MMM-yy", "yyMMdd", "yyyyy.MM.dd", "LLL d yyyy", "ddMMMyyyy",
        "yyyy-MM-dd E D w W F", "d/M/y", "u yyyy-MM-dd",
    };
    private static final String[] TIMES = {
        "HH:mm:ss", "HH:mm", "HHmmss", "H:m:s", "kk:mm:ss", "hh:mm:ss a", "h:mm a", "K:mm:ss aa", "HH:mm:ss.SSS",
        "HHmmssSSS", "HH", "a hh:mm", "HH:mm:ss,SSS", "HH:mm:ss.S", "HH:mm:ss.SSSSSS", "h a", "HH'h'mm", "hh:mm:ss",
        "k:mm a", "HH:mm:ss.SSS HH 'o''clock'",
    };
    private static final String[] OFFSETS = {"", "", "X", "XX", "XXX", "Z", " Z", " z", "z", " XXX", "Z '('z')'", "'Z'"};
    private static final String[] JOINTS = {" ", "'T'", "", "' at '", "_", ", ", "-", "''", "/"};
    private static final String[] ZONE_TEXTS = {
        "Z", "z", "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST", "CET",
        "CEST", "EET", "EEST", "WET", "WEST", "BST", "IST", "JST", "KST", "MSK", "AEST", "AEDT", "NZST", "NZDT", "SGT",
        "HKT", "SAST", "est", "Gmt", "+07:00", "+7:00", "-0800", "+0530", "+07", "-7", "+7:0", "+24:00", "+0760",
        "GMT+8:00", "GMT+08:00", "GMT-0800", "GMT+8", "UTC+08:00", "+23:59", "-00:00", "+0000", "America/New_York",
        "AST", "ADT", "NST", "NDT", "MET", "MEST", "PKT", "WIB", "EAT", "CAT", "WAT", "IDT", "AWST", "ACST", "ACDT",
        "BRT", "ICT", "XYZ", "",
    };

    private final Random random;
    private final int cases;
    private final PrintWriter out;
    private int written;

    private Dates(long seed, int cases, PrintWriter out) {
        this.random = new Random(seed);
        this.cases = cases;
        this.out = out;
    }

    public static void main(String[] arguments) {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        PrintWriter out = new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
        new Dates(Long.parseLong(arguments[0]), Integer.parseInt(arguments[1]), out).run();
        out.flush();
    }

    private void run() {
        for (int round = 0; written < cases; round++) {
            String pattern = round < FIELD.length * ZONES.length ? FIELD[round % FIELD.length] : pattern();
            String zone = round < FIELD.length * ZONES.length ? ZONES[round / FIELD.length] : pick(ZONES);
            group(pattern, TimeZone.getTimeZone(zone), zone);
        }
    }

    private void group(String pattern, TimeZone zone, String name) {
        SimpleDateFormat format;
        try {
            format = format(pattern, zone);
        } catch (IllegalArgumentException refused) {
            return;
        }
        out.printf("F\t%s\t%s%n", pattern, name);
        for (int count = 0; count < 8 && written < cases; count++) {
            Date at = instant(zone, pattern);
            format.setTimeZone(zone);
            String text = format.format(at);
            Date back = read(format, zone, text);
            out.printf("P\t%d\t%s\t%s%n", at.getTime(), text, at.equals(back) ? "=" : shown(back));
            written++;
            List<String> texts = new ArrayList<>();
            for (int mutation = 0; mutation < 4; mutation++) {
                texts.add(mutate(text));
            }
            texts.add(rezone(pattern, zone, at));
            for (String changed : texts) {
                if (written < cases && !changed.equals(text) && changed.indexOf('\t') < 0 && changed.indexOf('\n') < 0) {
                    out.printf("R\t%s\t%s%n", changed, shown(read(format, zone, changed)));
                    written++;
                }
            }
        }
    }

    private static SimpleDateFormat format(String pattern, TimeZone zone) {
        SimpleDateFormat format = new SimpleDateFormat(pattern, Locale.US);
        format.setLenient(false);
        format.setTimeZone(zone);
        Calendar start = new GregorianCalendar(zone, Locale.US);
        start.clear();
        start.set(1970, Calendar.JANUARY, 1);
        format.set2DigitYearStart(start.getTime());
        return format;
    }

    /** Reads the whole text or nothing. Reading a zone changes the format, so it is set again. */
    private static Date read(SimpleDateFormat format, TimeZone zone, String text) {
        format.setTimeZone(zone);
        ParsePosition position = new ParsePosition(0);
        Date date = format.parse(text, position);
        return date != null && position.getIndex() == text.length() ? date : null;
    }

    private static String shown(Date date) {
        return date == null ? "-" : Long.toString(date.getTime());
    }

    private String pattern() {
        if (random.nextInt(6) == 0) {
            return wild();
        }
        List<String> parts = new ArrayList<>(List.of(pick(DATES), pick(TIMES)));
        if (random.nextInt(8) == 0) {
            Collections.shuffle(parts, random);
        }
        String pattern = random.nextInt(6) == 0 ? parts.get(0) : parts.get(0) + pick(JOINTS) + parts.get(1);
        return pattern + pick(OFFSETS);
    }

    /** Letters in any order and number, mostly with literals between them. */
    private String wild() {
        String letters = "yMdHmsSEDFwWahKkzZXuGLY";
        List<Integer> order = new ArrayList<>();
        for (int index = 0; index < letters.length(); index++) {
            order.add(index);
        }
        Collections.shuffle(order, random);
        StringBuilder pattern = new StringBuilder();
        int taken = 3 + random.nextInt(7);
        String must = random.nextInt(4) == 0 ? "" : "yMd";
        for (int index = 0; index < taken + must.length(); index++) {
            char letter = index < must.length() ? must.charAt(index) : letters.charAt(order.get(index - must.length()));
            if (index >= must.length() && must.indexOf(letter) >= 0) {
                continue;
            }
            pattern.append(String.valueOf(letter).repeat(1 + random.nextInt(4)));
            pattern.append(random.nextInt(5) == 0 ? "" : pick(new String[] {" ", "-", ":", "'x'", "/", ",", ";", "''"}));
        }
        return pattern.toString();
    }

    private Date instant(TimeZone zone, String pattern) {
        long day = 86_400_000L;
        boolean old = !pattern.contains("yy") || pattern.contains("yyy");
        int kind = random.nextInt(20);
        if (kind == 0 && old) {
            return new Date(-62_135_596_800_000L + day + (long) (random.nextDouble() * 315_000_000_000_000L));
        }
        long millis = day + (long) (random.nextDouble() * 99 * 365 * day);
        if (kind <= 3) {
            ZoneOffsetTransition next = ZoneId.of(zone.getID()).getRules().nextTransition(Instant.ofEpochMilli(millis));
            if (next != null) {
                return new Date(next.toEpochSecond() * 1000 + random.nextInt(14_400) * 1000L - 7_200_000L);
            }
        }
        if (kind <= 5) {
            int year = 1971 + random.nextInt(98);
            Calendar turn = new GregorianCalendar(zone, Locale.US);
            turn.clear();
            turn.set(year, Calendar.JANUARY, 1);
            return new Date(turn.getTimeInMillis() + (random.nextInt(14) - 7) * day + random.nextInt(86_400) * 1000L);
        }
        return new Date(kind < 12 ? millis / 1000 * 1000 : millis);
    }

    private String mutate(String text) {
        StringBuilder changed = new StringBuilder(text);
        int at = random.nextInt(text.length());
        char old = text.charAt(at);
        switch (random.nextInt(8)) {
            case 0 -> changed.deleteCharAt(at);
            case 1 -> changed.insert(at, pick(new String[] {" ", "0", "1", "9", ":", "-", "+", "Z", ".", "  "}));
            case 2 -> changed.append(pick(new String[] {" ", "0", "Z", "x", "5"}));
            case 3 -> changed.setCharAt(at, Character.isUpperCase(old) ? Character.toLowerCase(old) : Character.toUpperCase(old));
            case 4 -> changed.setLength(at);
            default -> {
                for (int tries = 0; tries < 8 && !Character.isDigit(changed.charAt(at)); tries++) {
                    at = random.nextInt(text.length());
                }
                changed.setCharAt(at, (char) ('0' + random.nextInt(10)));
            }
        }
        return changed.toString();
    }

    /** The same instant with another zone text in its place. */
    private String rezone(String pattern, TimeZone zone, Date at) {
        String last = pattern.substring(pattern.length() - 1);
        String bare = pattern.replaceAll("[zZX]+$", "");
        if (bare.equals(pattern) || bare.isEmpty() || !"zZX".contains(last)) {
            return mutate(format(pattern, zone).format(at));
        }
        try {
            return format(bare, zone).format(at) + pick(ZONE_TEXTS);
        } catch (IllegalArgumentException unbalanced) {
            return mutate(format(pattern, zone).format(at));
        }
    }

    private String pick(String[] choices) {
        return choices[random.nextInt(choices.length)];
    }
}
