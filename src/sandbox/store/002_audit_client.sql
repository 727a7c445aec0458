-- What the program that wrote calls itself.
ALTER TABLE audit ADD COLUMN client TEXT;
