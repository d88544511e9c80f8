import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.SoftReference;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;

/**
 * Small services in Java, one scenario each: Service SCENARIO [NAME=NUMBER]...
 *
 * <p>Amounts are per hour of recorded time; HOUR (real seconds) and BEGIN (epoch seconds) come from the environment.
 */
public final class Service {
    private static final double HOUR = environment("HOUR", 7.5);
    private static final double BEGIN = environment("BEGIN", System.currentTimeMillis() / 1000.0);
    private static final double PHASE = environment("PHASE", 0);
    private static final double DAY = environment("DAY", 24);
    private static final double QUIET = environment("QUIET", 0.15);
    private static final Random RANDOM = new Random((long) environment("SEED", 0));
    private static final Map<String, Double> NUMBERS = new HashMap<>();
    private static final Map<String, byte[]> ANSWERS = new HashMap<>();
    private static final List<Object> AUDIT = new ArrayList<>();
    private static final ThreadLocal<Map<Long, byte[]>> CONTEXT = ThreadLocal.withInitial(HashMap::new);

    private interface Request {
        void handle(double at);
    }

    private static double environment(String name, double otherwise) {
        String text = System.getenv(name);
        return text == null ? otherwise : Double.parseDouble(text);
    }

    private static double number(String name, double otherwise) {
        return NUMBERS.getOrDefault(name, otherwise);
    }

    private static double hours() {
        return (System.currentTimeMillis() / 1000.0 - BEGIN) / HOUR;
    }

    /** Traffic as a share of its peak: quiet nights, busy days. */
    private static double load(double at) {
        double wave = 0.5 - 0.5 * Math.cos(2 * Math.PI * (at / DAY + PHASE));
        return QUIET + (1 - QUIET) * Math.pow(wave, 1.5);
    }

    /** Handles what arrives, ten times a real second, for ever. */
    private static void requests(double hourly, Request request) throws InterruptedException {
        double before = hours();
        while (true) {
            Thread.sleep(100);
            double at = hours();
            double expected = hourly * load(at) * (at - before) * (0.5 + RANDOM.nextDouble());
            before = at;
            for (int left = (int) (expected + RANDOM.nextDouble()); left > 0; left--) {
                serve();
                request.handle(at);
            }
        }
    }

    private static byte[] bytes(double about) {
        byte[] made = new byte[(int) (about * (0.5 + RANDOM.nextDouble()))];
        Arrays.fill(made, (byte) 0x5a);
        return made;
    }

    /** A request: strings and buffers that are garbage when it is answered. */
    private static int serve() {
        Map<String, String> fields = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            fields.put("field" + i, Long.toHexString(RANDOM.nextLong()));
        }
        return fields.size() + bytes(number("garbage", 8000)).length;
    }

    /** A static map remembers every answer by an address that never comes again. */
    private static void staticMap() throws InterruptedException {
        requests(number("hourly", 300), at -> {
            if (at >= number("onset", 0)) {
                ANSWERS.put("/item/" + RANDOM.nextLong(), bytes(number("size", 800)));
            }
        });
    }

    /** Threads of a pool that live as long as the process keep each request's context. */
    private static void threadLocal() throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(6);
        requests(number("hourly", 300), at -> {
            if (at >= number("onset", 0)) {
                long id = RANDOM.nextLong();
                pool.execute(() -> CONTEXT.get().put(id, bytes(number("size", 800))));
            }
        });
    }

    /** An audit list that is never written out. */
    private static void audit() throws InterruptedException {
        requests(number("hourly", 6000), at -> {
            if (at >= number("onset", 0)) {
                AUDIT.add(List.of(at, "user" + RANDOM.nextInt(), bytes(number("size", 600))));
            }
        });
    }

    private static void idle() throws InterruptedException {
        while (true) {
            Thread.sleep(500);
            serve();
        }
    }

    /** Garbage, and a window of the latest answers. */
    private static void sawtooth() throws InterruptedException {
        ArrayDeque<byte[]> recent = new ArrayDeque<>();
        requests(number("hourly", 1500), at -> {
            recent.add(bytes(number("size", 4000)));
            if (recent.size() > number("recent", 2000)) {
                recent.poll();
            }
        });
    }

    /** A cache with a bound: the one that was used least recently leaves. */
    private static void lru() throws InterruptedException {
        Map<Integer, byte[]> cache = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Integer, byte[]> eldest) {
                return size() > number("entries", 15000);
            }
        };
        requests(number("hourly", 800), at -> {
            int key = (int) (Math.pow(RANDOM.nextDouble(), 2) * number("space", 40000));
            cache.computeIfAbsent(key, absent -> bytes(number("size", 1500)));
        });
    }

    /** Files for each upload are to be deleted when the process ends, and the list of them only grows. */
    private static void deleteOnExit() throws InterruptedException {
        String folder = "/nonexistent/" + "uploads/".repeat(20);
        requests(number("hourly", 30000), at -> {
            for (int part = 0; part < 4 && at >= number("onset", 0); part++) {
                new File(folder + "upload-" + RANDOM.nextLong() + "-" + part + ".part").deleteOnExit();
            }
        });
    }

    /** Buffers outside the heap: a few are in use at a time, and from `onset` on a share of them is never given back. */
    private static void direct() throws InterruptedException {
        ArrayDeque<ByteBuffer> used = new ArrayDeque<>();
        requests(number("hourly", 18000), at -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect((int) (number("size", 16000) * (0.5 + RANDOM.nextDouble())));
            if (at >= number("onset", 0) && RANDOM.nextDouble() < number("share", 0.2)) {
                AUDIT.add(buffer);
                return;
            }
            used.add(buffer);
            if (used.size() > number("recent", 100)) {
                used.poll();
            }
        });
    }

    /** What a script is compiled to. */
    public static final class Script {
        private final Map<String, Object> variables = new HashMap<>();

        public Object run(String name, Object value) {
            return variables.put(name, value);
        }
    }

    /** Has one script of its own. */
    private static final class ScriptLoader extends ClassLoader {
        Object load(byte[] code) throws ReflectiveOperationException {
            return defineClass(null, code, 0, code.length).getDeclaredConstructor().newInstance();
        }
    }

    /** Every `every` hours all scripts are loaded anew, each by a loader of its own, and a registry keeps the old ones. */
    private static void scripts() throws InterruptedException, IOException {
        byte[] code;
        try (InputStream file = Service.class.getResourceAsStream("Service$Script.class")) {
            code = file.readAllBytes();
        }
        double[] due = {0};
        requests(number("hourly", 400), at -> {
            if (at < due[0]) {
                return;
            }
            due[0] = at + number("every", 6) * (0.5 + RANDOM.nextDouble());
            try {
                for (int left = (int) number("scripts", 250); left > 0; left--) {
                    AUDIT.add(new ScriptLoader().load(code));
                }
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException(error);
            }
        });
    }

    /** Answers are held by soft references: the collector clears them when the heap is full, or when they are long unused. */
    private static void softCache() throws InterruptedException {
        Map<Integer, SoftReference<byte[]>> cache = new HashMap<>();
        requests(number("hourly", 1000), at -> {
            int key = RANDOM.nextInt((int) number("space", 30000));
            SoftReference<byte[]> known = cache.get(key);
            if (known == null || known.get() == null) {
                cache.put(key, new SoftReference<>(bytes(number("size", 4000))));
            }
        });
    }

    /** A `first` share of requests asks for a rule that is new, as long as there is one: a class with a loader of its own. */
    private static void rules() throws InterruptedException, IOException {
        byte[] code;
        try (InputStream file = Service.class.getResourceAsStream("Service$Script.class")) {
            code = file.readAllBytes();
        }
        requests(number("hourly", 1800), at -> {
            if (AUDIT.size() >= number("rules", 3000) || RANDOM.nextDouble() > number("first", 1)) {
                return;
            }
            try {
                AUDIT.add(new ScriptLoader().load(code));
            } catch (ReflectiveOperationException error) {
                throw new IllegalStateException(error);
            }
        });
    }

    /** Compressors are not ended: the memory that each has outside the heap is freed whenever the collector finds it. */
    private static void deflaters() throws InterruptedException {
        requests(number("hourly", 3000), at -> {
            Deflater deflater = new Deflater();
            deflater.setInput(bytes(2000));
            deflater.finish();
            deflater.deflate(new byte[4000]);
        });
    }

    /** Has a finalizer that, from `onset` on, waits for ever, and with it all that would be finalized after. */
    private static final class Handle {
        private final byte[] data = bytes(number("size", 2000));

        @Override
        @SuppressWarnings("deprecation")
        protected void finalize() throws InterruptedException {
            while (hours() >= number("onset", 0)) {
                Thread.sleep(data.length);
            }
        }
    }

    private static void finalizers() throws InterruptedException {
        requests(number("hourly", 8000), at -> new Handle());
    }

    /** What is known of each key is forgotten with the key, but it refers to the key, from `onset` on. */
    private static void weakMap() throws InterruptedException {
        Map<Object, Object[]> known = new WeakHashMap<>();
        requests(number("hourly", 500), at -> {
            Object key = new Object();
            known.put(key, new Object[] {at >= number("onset", 0) ? key : null, bytes(number("size", 2000))});
        });
    }

    private static int deep(int depth) {
        return depth == 0 ? serve() : deep(depth - 1) + 1;
    }

    /** A thread for each request that waits for something far away: as many as the load needs. One without work ends. */
    private static void cachedThreads() throws InterruptedException {
        long seconds = Math.round(number("rest", 0.02) * HOUR);
        ExecutorService pool = new ThreadPoolExecutor(0, 1000, seconds, TimeUnit.SECONDS, new SynchronousQueue<>());
        requests(number("hourly", 36000), at -> pool.execute(() -> {
            deep((int) (number("depth", 1500) * (0.5 + RANDOM.nextDouble())));
            try {
                Thread.sleep((long) (number("lasts", 0.003) * HOUR * 1000 * (0.5 + RANDOM.nextDouble())));
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        }));
    }

    public static void main(String[] arguments) throws InterruptedException, IOException {
        for (String setting : Arrays.asList(arguments).subList(1, arguments.length)) {
            String[] parts = setting.split("=");
            NUMBERS.put(parts[0], Double.valueOf(parts[1]));
        }
        switch (arguments[0]) {
            case "static-map" -> staticMap();
            case "thread-local" -> threadLocal();
            case "audit" -> audit();
            case "idle" -> idle();
            case "sawtooth" -> sawtooth();
            case "lru" -> lru();
            case "delete-on-exit" -> deleteOnExit();
            case "direct" -> direct();
            case "scripts" -> scripts();
            case "soft-cache" -> softCache();
            case "cached-threads" -> cachedThreads();
            case "rules" -> rules();
            case "deflaters" -> deflaters();
            case "finalizers" -> finalizers();
            case "weak-map" -> weakMap();
            default -> throw new IllegalArgumentException("a scenario that exists is needed as first argument");
        }
    }
}
