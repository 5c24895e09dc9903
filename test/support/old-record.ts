/** A session file as version 0.1 of the server wrote it, for the test that it still opens. */
export const oldRecord = {
  id: "an-old-session-id-of-32-chars---",
  key: "an old encryption key of 43 characters ......",
  name: "5df806ae6388b486f7d9b046239504f888e11f00edd4402e5dca4afb2b5b09d9",
  text: [
    [
      "AbVauCq2rJIebTKXhFsoTbzxnG03p8sWQkVAeyvp0j5rKvg2km4Q0i-2CYL5RquK-tC_6RTIyosznz3DmM_GhpyyFslJjkjD",
      "lp8cfRmOk5OqBUiFkbPq1crSlQ0lP7YB3ibwWkYd65FOgCB-Qf6ZHI30IG7_vRg1_MOd-FxG6JUoqI6xXUl-UuU4iSw0gpm-",
      "VBVaL6yL9lxN2YqWytyD1esGL_i0ATFDfNsOfBI60qjAsrJ3qwl-IWi538VkcFoJdRpkQchSzUzLBI2bMWAveHUud3L2AnlN",
      "-ph6k7MA7r-MN_oHt0YWs8XzyApBs_RGwyQJGMNzw9A7dBn5fDNsci4aqsLrmFQYimYkyZaKo3QGJWoY-TCOL7Lel6Fty5Po",
      "qXbe62P3XeNnFd3W4balC1j4aCq5gL8WNjDKE3eiy8ih_zP3MkCb48TLsiqM_unAbKC1_BRXoTs_64Wa-eQGEc_kliJGuoID",
      "6YDMU_ysQfOScCiEMnIXN-HCx9pIKvpH045PGcR7Nk5CURB2KWHUgjaedB1Z2ndesAV1aKpHVhcu1GQScX40vj1xxe8994rj",
      "eeb63S_DfEPj7qRMJpAJEWiijQOc460BEyVY8hHDogw4hCn_BjkKMDkfgM3iuEMk_RZi1YAQ7PnZUp_WPcDsHNNHTWSGaO34",
      "-e38KTQTkPmlh3E7VMyYNvGwhNj4Xx_ITQkTTeMG7ZfGNe01rTErGU7A8daNiJJ803fqRJ7KDJ32NcVfduUH4e79Uo9hTFcE",
      "1qhFWhWExvUwDLYhOpmazLMiZ6F2QckFvlbiYI0PUzdJbywDOO7GpTM10kT5BnABoNc-7zXjJDf2bZi3pLKwfY5BBeomXXXn",
      "LRLOdIOrULgjT8x6ZDChxaAXLvYbn21Om9qi03FGSEINS-wcXKE21m3OYqcHXXCnfR1L6pgXV75iZkgbOvhMO4q1CFvc8VaJ",
      "8G7OM1Y4UG4pS8q9hsiYCzFvFcfxvJxk7H2VIHRxdyBTwxuEZtk0srGBL8xhDsmRiP-Bj2NHJjLmdP8g6Gg8K9q3PFrMdmlU",
      "1e5kixn7QC_El7Xrsi8aM-d-UJ7s65hbADNI60EsGeBQL9r7TsXMdgt5u1TxXJXpvbxRpum4NdVotQ",
    ].join(""),
    "AbVauCq2rJIeuHMSpzUpL9OIPNtx9VJ-hp9at8uyc9nKHflYIxIquWNUS-b6ff6OOoE",
  ].join("\n"),
};
