"""What the rows of MMLU's 57 subjects hash to, at the pinned revision."""

from __future__ import annotations

FINGERPRINTS = {
    "abstract_algebra": {
        "test": "4737191c2282b151f332dda0c0422e3c6bea603800133665be8133eed21f20c3",
        "dev": "13446287105b31344eeb6606f71b5be693b8737f24081f05eda178c0616b408e",
    },
    "anatomy": {
        "test": "8737066b408240f975edb59da8b8002c174c46d1c37e575245afc2d85cac0f6b",
        "dev": "04b7be78ad0be74401c8c8ad8de17d02c2adf50397fc0320d3fd6b35adc55e19",
    },
    "astronomy": {
        "test": "1cb4d488de26f9ac941fca050816728470df311548fbd761dc0ca0f141f09bc1",
        "dev": "dad240c8107a0a02e6cb9b4231c30f35ed407730d802fe6a679ff79e58cd7a05",
    },
    "business_ethics": {
        "test": "041684f07e5a76a795560bf75aa7093a2993016aaf0741ac8594a7dba2afe6c8",
        "dev": "81d7e83e3bfb08139f496605b0aa6d4eff4e5cf85e39de8e37f45c0bc859d590",
    },
    "clinical_knowledge": {
        "test": "55fab3423858062fefe7f1e057cbd5257bb163da0622e3b5deb02e5f004879a5",
        "dev": "d32823012ba2769184e9bc53a4aca0e76cbdb0ad91198506749fb966e0d6ede0",
    },
    "college_biology": {
        "test": "4e3a950f65f1509fa23aa7fc3ec07f2089ba29248da7f0b63dcd042ccd0ae5b0",
        "dev": "e911d4cd84fecc0af8f56328c33201f888072902f7824400cde66a0b18589b7b",
    },
    "college_chemistry": {
        "test": "29ecf66107f092a83c833744dac08970a9c9cdffecbd5dd3df741ee56ade229a",
        "dev": "f6cbd55da33d86c42400ccd301eebaef62bb7dd746b83154490780fa281255bb",
    },
    "college_computer_science": {
        "test": "2f5f71efbb746d3667ac08785d2f1abb777ddad4b3d65e42302bfea41081cf4c",
        "dev": "c7067ab544489bfe467aff62722534eb2632c56c45c67553dac1b382bb4f24e5",
    },
    "college_mathematics": {
        "test": "c84267723732935da761430216f6e422b5bc73187cc846ef08f970108d81001f",
        "dev": "e69598c5ec6e4e3f824c1f636f946a90637af7726c98485066bc81ff89e8cacc",
    },
    "college_medicine": {
        "test": "213f5302a5db068c4b7804f200c43f5fc7416684675184607a3b2b1c8499d9d6",
        "dev": "f669cc6f59faa27f87bf7d604477ba25018c3a405d42b85351c78dd10a3fecef",
    },
    "college_physics": {
        "test": "75405824021adbe697f145ddd2c36cc376f3be0d90189946871871e9d754e329",
        "dev": "ae35877db6797f40e934d2d851ef4e0e864353fe606505980e4b6a27caff41b6",
    },
    "computer_security": {
        "test": "ef3ad4d965f5ae27acbb22d4b3f321d24e94dd2026aae40322fc6f266b84165e",
        "dev": "cb1d4adcc61e042a07efb1dac40f02c42b0e4347bd38512053ce33080720914e",
    },
    "conceptual_physics": {
        "test": "ced1180e822488f57ae1f1529ca7c6f15b189ffb12d5b8d83a87748d837de879",
        "dev": "dfbc31d5d1251cb381a488905e0a31c1640d4741dd4b76131e8977a783e2208f",
    },
    "econometrics": {
        "test": "3189b32420f3526f7e4abac74e360af50a3072155e81da4a8207b5d3079fa8bd",
        "dev": "13695e7c36c340a2e662e2c3dcdf63a749abb294867fb6aa8e5a4ae3445001bb",
    },
    "electrical_engineering": {
        "test": "7de0a9470095739ddded907a1724aad03c19191d48b9e2801f900dc4fbee95b8",
        "dev": "8d99746959b7ea0eb3035f3fa5bf72203c8d161d951e03993f937a88083b459b",
    },
    "elementary_mathematics": {
        "test": "6489b35be498fb5f4adbc30aa73a24b2da2b10d32413b1171649f6e122c51abe",
        "dev": "d879499ba33d948236477a7cc135e77e23203983bcbd8ac27ff0c1c586a22a08",
    },
    "formal_logic": {
        "test": "7888ee9d1e07dd4145a60c103c92a4033fb94747e19caa10afb8a2e684e9d512",
        "dev": "252efe30ac4f7d0c18f9e883db7779a57f63bef965502cb1d460935708cf07e9",
    },
    "global_facts": {
        "test": "52efa8cf17a3dc18c0215818a57b7ad6f9c066e6d8599e39a4ce70c2a2927944",
        "dev": "9e691a11968f6dfa4f4f7e8f6648196463e0186954d39f84589d236556756907",
    },
    "high_school_biology": {
        "test": "2bbf03e936b6244639e40ccc4f55af0a4c830d5a0a665d6b434f40b29f59d671",
        "dev": "733d9f65ac3d6e3f1c5137f772153e17c57dd6e9032d46f30f284cfff9e6bfc2",
    },
    "high_school_chemistry": {
        "test": "fb383cc23e9b2b11e826e40430641a428ef92df06952ef3561fe49ccbdb01ff4",
        "dev": "8dcf01d77f3fa4dfe30cdf2b353711861ef06e67e9a218334176045ffefc2afc",
    },
    "high_school_computer_science": {
        "test": "608edb25bf9552e9cbc79085a89015e7747c2a21cfe4366072b988afe83e44ce",
        "dev": "2ee433210e4f1a28be493307cdbeedcae0db7fc61f524736f348b4b83e7277b8",
    },
    "high_school_european_history": {
        "test": "e36517f5ad06f51630cfd54fc255460055dd10bee57d43bcabe58b262a3a9c32",
        "dev": "78df6a65f21289d59c4b62f87519468f98a84f6322e75c75cb7359486a538ffd",
    },
    "high_school_geography": {
        "test": "f7e3ac0c6ac5693bff14892b6be07e975c9daaeb0bcccf4c7a8ceee6300ca3aa",
        "dev": "33940fed13fa2978f5d3712ed4585f8d9d25af5f9b1d8fe8bc8b2d7b9466ac65",
    },
    "high_school_government_and_politics": {
        "test": "155614d82bdb4ed2d91107be7b2f6d191f2e5b7c74517e7cbcff387266dea6a1",
        "dev": "11c6ae60b50ecf2318d6df166a286977564c578aa61069caa3ed23d6cfd42be9",
    },
    "high_school_macroeconomics": {
        "test": "110557f38307eed25cf7494267e3eb36d350d53ac3ebea164fe7e3d7307ed7b8",
        "dev": "d09baf1e71ad08d3bfe28b434484e742c829b66ff9955a2f1ff74be752915021",
    },
    "high_school_mathematics": {
        "test": "a53e99b268f21af00426aad83826aef45ac0fa8d85656faf414e0ce8fe64921e",
        "dev": "601a23b26efffaecf40de6907913a5d6feaf3a4445fa8e08fb92a69abdd51d6c",
    },
    "high_school_microeconomics": {
        "test": "2e3f76e37819067c6b8d9e190b56b4dfbc65d73b52fb82c9ea3b2258737fbb87",
        "dev": "989f3f04211051550a8ce79cb058f732b47d5f2bd2c27a1fb7536d72aa97cafe",
    },
    "high_school_physics": {
        "test": "5a0308ef7d758f4032b3bd1eef74253f466d31d9920efc071c0ebf260dbdfd1c",
        "dev": "addfa1b887d806dcc109bdfa70631fe49b18c5eaf91326a75b4830e1328ac338",
    },
    "high_school_psychology": {
        "test": "50eae064bd5b1791202104658a191f5af0b8da1b27b6d7ea28f1ff8533a32c8e",
        "dev": "c6fa53c0a62d02cf67e4aea11d5fa57c736175a5303b61e090f4357c5c1a123c",
    },
    "high_school_statistics": {
        "test": "433e40971ae37a52c87b7efb5e7791abdac619367a9ffeebe0d467e47fc15d75",
        "dev": "9e0e52ea53863aae51e9e3a3c5f16868e50126dcd8160230809c79d892fc2656",
    },
    "high_school_us_history": {
        "test": "611d30d1aefce563116f1162ab06eee3af72e922bf0717ca14a5981a149729d5",
        "dev": "0b5ccd5d9c812af02b47cd9b0fe51dbe8b9bc136b4885c3db9bf61fab1322cea",
    },
    "high_school_world_history": {
        "test": "2d4f5730380386fa2af3167299ed6e14ef0c6a928bf5da2cd4d7da8188a3748f",
        "dev": "46106bfe417e66906738bbd3c6fcf18665ff72ce9a5837b75b8b0859a5d38cb1",
    },
    "human_aging": {
        "test": "041120ccb131b23fbfd03ddcb6c357159de0419a2fbce0df230cb4b497694505",
        "dev": "19781947a168666d43d782e547514f6e95af93eb94144005c6ffcc19aff42ad6",
    },
    "human_sexuality": {
        "test": "1c56c4a91bd60b6bb7da5ba8eb79b71d171dc1493983a8064d018b068177e337",
        "dev": "539ecf594f048402eb2a107831fc2f9847d3570aa238a5d809376ef955764b9e",
    },
    "international_law": {
        "test": "0e1c513856165780fdb5ce978ad671f70687e3f024f61f5dc468684aa0b6c4c0",
        "dev": "6c0d36fce90b0c73071a527ff0355830ab7e0b9a6b37228bd05a9b190e950245",
    },
    "jurisprudence": {
        "test": "599dc671d0d110f9f58cf780657f8dd1dd0c28ef21936c1bd2c0588806b16a04",
        "dev": "b53f4ef9587d249b5c8d648d93abfb6d3c25e27e4033f3f9342c02d1f4cd1d3d",
    },
    "logical_fallacies": {
        "test": "1f37cfcdbe43b2d665effc9cd43350251d98e318a9328a356a3440374961f5c7",
        "dev": "20e69c52e7e159215d4c22693f1a792d443a39431ef6ba1a55ee7904fd42e0e1",
    },
    "machine_learning": {
        "test": "799d5188beb8a6dbd6ebad3cdff08ffab0e7dbd80d171bc29fabe14f4c500479",
        "dev": "9af0972040498fcffd191eb5a69d1962064c6004d3026bbe47f29bb9a3f54661",
    },
    "management": {
        "test": "8e3ef35df0e3bfa8dd0a2b946f2df08f8168496930cee4d2f3c769259b0b128c",
        "dev": "157e72b3f9521feeb0b77f9ae1be63a66d23cc3ef228f84b48634c303239183a",
    },
    "marketing": {
        "test": "9724d2ca3b4727a18d37c243fe89eaeac9fbaadee2c7d5be1f4e70bca2915958",
        "dev": "76e39abf0abdead71efdae1067a0b90b73ab9d7b779c8bb151a58bcfb3fc8b24",
    },
    "medical_genetics": {
        "test": "695ff55adc7714890eb077d74a18b94193dfa3c64ffc15029e869102cda9f529",
        "dev": "d4473db8c5ce5761a4484300d65815cb8f4a200fc3a0c1a829a753b1722fd3d1",
    },
    "miscellaneous": {
        "test": "496a694e6e8021677e8153f14f707de7459ec12b529adb9b48770f26ac72bec5",
        "dev": "45233db7ba471feefe2bb0b8faadb81535312da25c705f77485565c10bca9525",
    },
    "moral_disputes": {
        "test": "1f6cd3a2934f6c366dd627a7a5425fcf2d2ff49a744b137cca17dd81c004ac7b",
        "dev": "ebd30ff59666234b18a6d95cac00e64a968e7d199720148249fef743189f448b",
    },
    "moral_scenarios": {
        "test": "9787e1acd022b8f1156bc3264552aedddaae3f531311f6a445ebaf5a7bf1bd11",
        "dev": "98ed2421aa017392de8aa14713dd00657c90da6e4d34460e3487f0742755a1ef",
    },
    "nutrition": {
        "test": "781a1ae08f61e9c40b92de583f59cb61187209dc4393e48fe4e1d49417232e5a",
        "dev": "02db8259a125bb1031a3b9da8d74bf7fe539d82ea506042342938de65546dce1",
    },
    "philosophy": {
        "test": "a5cb9b5613a38c5bc652080f9f3981614ec7e737b5d6e84350377ac1dbb19f7f",
        "dev": "bb9be44e0fd9c190c93ebef6b4a6dc908bc610c755791cf4b3536b04627565eb",
    },
    "prehistory": {
        "test": "bf6589d906ae28fb182fa96157976172f89ce1d7778a4b69bd690e56738aecd8",
        "dev": "ee3a5792862e48782635532164025ddfb25bdb0a237461fe6ee2cd7a5b767c71",
    },
    "professional_accounting": {
        "test": "1b9ee249bc295731122925fb0f0c350367998e9172e576d28f86cb647b8f3ceb",
        "dev": "d497ea7e5bd2e954a7226541cbf34db0b58f67831ef8d83dc6923adace317ec8",
    },
    "professional_law": {
        "test": "e83123daedeeea0f93afa60d2a263677abc3c7bdee8a6b2a1a1c297243e6f412",
        "dev": "235f7ec4ad464142e8a16455dab021da5bffe5a9c563c8eb422716bc378a6cdd",
    },
    "professional_medicine": {
        "test": "edb97303a631e6075e06c17baf83f5e6b868675598bc3c00a405cfd26beeadb7",
        "dev": "21d4c42e24ff201b97d168202e3733667876645bdf54dbf42e1f62a852e32a73",
    },
    "professional_psychology": {
        "test": "b07b25c2bfcd142874e5c14d4fbcc9569d2b7cfc8fc887e717f4b444ce983f04",
        "dev": "220641e600de8c0cf88469d9412b64fb68805eb4a0cf2942098bff835d0ac5a3",
    },
    "public_relations": {
        "test": "432b4af1d355efc3af7171c9cc5673eb93ee09a52295064eed969486ad96a42d",
        "dev": "52f0dc71dc8c04ae6b1455a71f5b2027b32dc635dd28daad1015c84dbe92fd14",
    },
    "security_studies": {
        "test": "f9544700aa6466d869769d69fa7606cf96ce35ab2b93e9def2053e6e4a015f42",
        "dev": "1230105ba8f40098701c4cd0f3863350d7f70bb580b76f00569d70536ecf9a90",
    },
    "sociology": {
        "test": "78ef457f0c6eecd0f41c6dfaa30ebc411b1712170af060fa7687bb71014b5925",
        "dev": "296047677c21f96c2f0dd875b31c77b2978b2e95aefe561b686fa300dfcfb040",
    },
    "us_foreign_policy": {
        "test": "e1daed0ec84cd8ba3a92ae76e0cbd355a8cc072c0fa40592025ff70f0bb4f3b6",
        "dev": "fac3751fc850a49b2e82c18b8600d1ceeba00c2966171f60155a15f7e138e395",
    },
    "virology": {
        "test": "e1a1fd4890acca19546378e8ee8842bf7753e49022c503ac5cfb2abd5bd143db",
        "dev": "694d6862cc42281f640b546741fe2d1ec1083a7a17f12cc43591293c46a499f6",
    },
    "world_religions": {
        "test": "31fec2beaa7540a366f717970d092cfc9cb11cacd420675df2a3e7f91fbe7398",
        "dev": "b5d5a29906d6cdb3afa69917a57c4d292f74cefdf7b72144ad95bba80352bab4",
    },
}
