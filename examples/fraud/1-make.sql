-- 30,000 payments with 200 cards in a week. Some cards are used more than others; most payments are
-- made in the country where a card is at home.
CREATE STREAM payments (card STRING KEY, merchant STRING, amount DECIMAL(10, 2), country STRING)
  WITH (SOURCE='datagen', ROWS=30000, SEED=7, START='2024-03-01', STEP_MS=20000, PARTITIONS=4);

-- Whose they are, and where they live.
CREATE TABLE cards (card STRING PRIMARY KEY, holder_name STRING, email STRING, country STRING)
  WITH (SOURCE='datagen', ROWS=200, SEED=7, PARTITIONS=4);

CREATE STREAM paid AS
  SELECT p.card AS card, c.holder_name AS holder, c.country AS home, p.country AS country,
         p.merchant AS merchant, p.amount AS amount
  FROM payments p JOIN cards c ON p.card = c.card;

-- Each payment gets points; from 60 on somebody should look at it.
CREATE STREAM scored AS
  SELECT card, holder, merchant, amount, country,
         (CASE WHEN country <> home THEN 30 ELSE 0 END)
         + (CASE WHEN amount > 2000 THEN 30 WHEN amount > 500 THEN 15 ELSE 0 END)
         + (CASE WHEN merchant IN ('Gold & Gems', 'Game Vault') THEN 20 ELSE 0 END) AS points
  FROM paid;
CREATE STREAM suspects AS
  SELECT card, MASK_KEEP_RIGHT(card, 2) AS masked, holder, merchant, amount, country, points
  FROM scored WHERE points >= 60;
CREATE TABLE suspects_by_merchant AS
  SELECT merchant, COUNT(*) AS payments, SUM(amount) AS amount, MAX(points) AS points
  FROM suspects GROUP BY merchant;

-- A card that pays more than 20,000 within three hours, whichever three.
CREATE TABLE spending AS
  SELECT card, COUNT(*) AS payments, SUM(amount) AS amount
  FROM payments WINDOW HOPPING (SIZE 3 HOURS, ADVANCE BY 1 HOUR, RETENTION 30 DAYS) GROUP BY card
  HAVING SUM(amount) > 20000;

-- A card that is at home and abroad within ten minutes. Here a week comes in a second: GRACE PERIOD
-- says that no row is too late, however far one stream runs ahead of the other.
CREATE STREAM at_home AS SELECT card, country, amount FROM paid WHERE country = home;
CREATE STREAM abroad AS SELECT card, country, amount FROM paid WHERE country <> home;
CREATE STREAM travels AS
  SELECT h.card AS card, a.country AS abroad, a.amount AS amount
  FROM at_home h JOIN abroad a WITHIN 10 MINUTES GRACE PERIOD 30 DAYS ON h.card = a.card;
CREATE TABLE travellers AS
  SELECT card, COUNT(*) AS times, MAX(amount) AS most FROM travels GROUP BY card;
