"""What the rows of MMLU's 57 subjects hash to, at the pinned revision."""

from __future__ import annotations

FINGERPRINTS = {
    "abstract_algebra": {
        "test": "4737191c2282b151f332dda0c0422e3c6bea603800133665be8133eed21f20c3",
        "validation": "19b4302831b8686c8dfa17d8a2af5131390b619537ac94fa49fe2637c3d2db41",
        "dev": "13446287105b31344eeb6606f71b5be693b8737f24081f05eda178c0616b408e",
    },
    "anatomy": {
        "test": "8737066b408240f975edb59da8b8002c174c46d1c37e575245afc2d85cac0f6b",
        "validation": "c662c85590ffa6fe124de4aaed001781c27dbf0a932c6b5897465aaf5d2fd57a",
        "dev": "04b7be78ad0be74401c8c8ad8de17d02c2adf50397fc0320d3fd6b35adc55e19",
    },
    "astronomy": {
        "test": "1cb4d488de26f9ac941fca050816728470df311548fbd761dc0ca0f141f09bc1",
        "validation": "ed9a15463b8e7b0adf3c22a83dd16b2dd084d783f4375d4bbf498815302077b0",
        "dev": "dad240c8107a0a02e6cb9b4231c30f35ed407730d802fe6a679ff79e58cd7a05",
    },
    "business_ethics": {
        "test": "041684f07e5a76a795560bf75aa7093a2993016aaf0741ac8594a7dba2afe6c8",
        "validation": "a2718e444cc0c4455f28ff3e23eab3fc0f46c36cdc9e142148465ab78fb27e5f",
        "dev": "81d7e83e3bfb08139f496605b0aa6d4eff4e5cf85e39de8e37f45c0bc859d590",
    },
    "clinical_knowledge": {
        "test": "55fab3423858062fefe7f1e057cbd5257bb163da0622e3b5deb02e5f004879a5",
        "validation": "7a1fcd16cba29401c885add3effcf5c9209d654ed73794be0c8e85d0171ea658",
        "dev": "d32823012ba2769184e9bc53a4aca0e76cbdb0ad91198506749fb966e0d6ede0",
    },
    "college_biology": {
        "test": "4e3a950f65f1509fa23aa7fc3ec07f2089ba29248da7f0b63dcd042ccd0ae5b0",
        "validation": "81fcaef18750ba8d5c24233fa0fbf5722b589e106f6c490d994cc6a8c7b6ce07",
        "dev": "e911d4cd84fecc0af8f56328c33201f888072902f7824400cde66a0b18589b7b",
    },
    "college_chemistry": {
        "test": "29ecf66107f092a83c833744dac08970a9c9cdffecbd5dd3df741ee56ade229a",
        "validation": "c18ac8a0c042064ff127bac7d4cc581cc1894be53496a4024a515b976d3ebd7a",
        "dev": "f6cbd55da33d86c42400ccd301eebaef62bb7dd746b83154490780fa281255bb",
    },
    "college_computer_science": {
        "test": "2f5f71efbb746d3667ac08785d2f1abb777ddad4b3d65e42302bfea41081cf4c",
        "validation": "0ed9f617df4aa032ee1e428fef7ae91c7c993e4355a8649382728cc80de9552a",
        "dev": "c7067ab544489bfe467aff62722534eb2632c56c45c67553dac1b382bb4f24e5",
    },
    "college_mathematics": {
        "test": "c84267723732935da761430216f6e422b5bc73187cc846ef08f970108d81001f",
        "validation": "131dd9196d3cd81f1d15767d025acf2b554e88595645dab116b064c5916aa2e6",
        "dev": "e69598c5ec6e4e3f824c1f636f946a90637af7726c98485066bc81ff89e8cacc",
    },
    "college_medicine": {
        "test": "213f5302a5db068c4b7804f200c43f5fc7416684675184607a3b2b1c8499d9d6",
        "validation": "849e8bea7c2458e59c1d3ed53b43599eeb4ef1ecf60f44484ff26b5641cf02f8",
        "dev": "f669cc6f59faa27f87bf7d604477ba25018c3a405d42b85351c78dd10a3fecef",
    },
    "college_physics": {
        "test": "75405824021adbe697f145ddd2c36cc376f3be0d90189946871871e9d754e329",
        "validation": "9d50534ae27286ceb2487f0561a1af2d2ba4bc5f6169bb984c28a45a54339b28",
        "dev": "ae35877db6797f40e934d2d851ef4e0e864353fe606505980e4b6a27caff41b6",
    },
    "computer_security": {
        "test": "ef3ad4d965f5ae27acbb22d4b3f321d24e94dd2026aae40322fc6f266b84165e",
        "validation": "b2cebf059b76fd077cefb0dd2aa9f32a610327203c5e41270585b1235aa9ca61",
        "dev": "cb1d4adcc61e042a07efb1dac40f02c42b0e4347bd38512053ce33080720914e",
    },
    "conceptual_physics": {
        "test": "ced1180e822488f57ae1f1529ca7c6f15b189ffb12d5b8d83a87748d837de879",
        "validation": "a009bf3426bd3605bab984ed00bfe7890945a49abc8a6f161d5c8c09e17a35c3",
        "dev": "dfbc31d5d1251cb381a488905e0a31c1640d4741dd4b76131e8977a783e2208f",
    },
    "econometrics": {
        "test": "3189b32420f3526f7e4abac74e360af50a3072155e81da4a8207b5d3079fa8bd",
        "validation": "41be9bff8b019cf71fe069e25d77b3caefd4d9d9c9efe32ebb16a8280cbb09c8",
        "dev": "13695e7c36c340a2e662e2c3dcdf63a749abb294867fb6aa8e5a4ae3445001bb",
    },
    "electrical_engineering": {
        "test": "7de0a9470095739ddded907a1724aad03c19191d48b9e2801f900dc4fbee95b8",
        "validation": "3319d1c9572df26a811847fd6bf86e5d0e7b823d8f4296a80abcc183d41a7864",
        "dev": "8d99746959b7ea0eb3035f3fa5bf72203c8d161d951e03993f937a88083b459b",
    },
    "elementary_mathematics": {
        "test": "6489b35be498fb5f4adbc30aa73a24b2da2b10d32413b1171649f6e122c51abe",
        "validation": "4b016caacfd015a9e1372d2588a2447a6777693a0e2812da0552f58eda654551",
        "dev": "d879499ba33d948236477a7cc135e77e23203983bcbd8ac27ff0c1c586a22a08",
    },
    "formal_logic": {
        "test": "7888ee9d1e07dd4145a60c103c92a4033fb94747e19caa10afb8a2e684e9d512",
        "validation": "394d95f3ac8d2582a71f469e2df83523566655ebcea4a399d981abe3170e5837",
        "dev": "252efe30ac4f7d0c18f9e883db7779a57f63bef965502cb1d460935708cf07e9",
    },
    "global_facts": {
        "test": "52efa8cf17a3dc18c0215818a57b7ad6f9c066e6d8599e39a4ce70c2a2927944",
        "validation": "ee379c1730a06e450657d313639aba09303cdea1dcb956b2fe40a82f0e8f3a7e",
        "dev": "9e691a11968f6dfa4f4f7e8f6648196463e0186954d39f84589d236556756907",
    },
    "high_school_biology": {
        "test": "2bbf03e936b6244639e40ccc4f55af0a4c830d5a0a665d6b434f40b29f59d671",
        "validation": "ce9e20796fec6ac4cbbb91651317bd1da974828b770f91822008b7ee6ab9e8e1",
        "dev": "733d9f65ac3d6e3f1c5137f772153e17c57dd6e9032d46f30f284cfff9e6bfc2",
    },
    "high_school_chemistry": {
        "test": "fb383cc23e9b2b11e826e40430641a428ef92df06952ef3561fe49ccbdb01ff4",
        "validation": "ab96947bcc89cd44d3128537a28605ad0c9e45d013a7bdb01284a73eb9ef4754",
        "dev": "8dcf01d77f3fa4dfe30cdf2b353711861ef06e67e9a218334176045ffefc2afc",
    },
    "high_school_computer_science": {
        "test": "608edb25bf9552e9cbc79085a89015e7747c2a21cfe4366072b988afe83e44ce",
        "validation": "165420bb1669274c1de5f59ae2e1c598938ec7c8ee7693a6482b4979ab9434d6",
        "dev": "2ee433210e4f1a28be493307cdbeedcae0db7fc61f524736f348b4b83e7277b8",
    },
    "high_school_european_history": {
        "test": "e36517f5ad06f51630cfd54fc255460055dd10bee57d43bcabe58b262a3a9c32",
        "validation": "3f1e70c096644f38a56ae7c0faf65b73e1ab3a09e2447660c8ba85743c876319",
        "dev": "78df6a65f21289d59c4b62f87519468f98a84f6322e75c75cb7359486a538ffd",
    },
    "high_school_geography": {
        "test": "f7e3ac0c6ac5693bff14892b6be07e975c9daaeb0bcccf4c7a8ceee6300ca3aa",
        "validation": "7300476a365d8950f1a37c9d4cf3b7d398ffd922f0b600e916ef62b8c445cc89",
        "dev": "33940fed13fa2978f5d3712ed4585f8d9d25af5f9b1d8fe8bc8b2d7b9466ac65",
    },
    "high_school_government_and_politics": {
        "test": "155614d82bdb4ed2d91107be7b2f6d191f2e5b7c74517e7cbcff387266dea6a1",
        "validation": "a5ca6e018ffdb5ad436991e0032c601cd8bcd09dc5bfe134866e0203a551a653",
        "dev": "11c6ae60b50ecf2318d6df166a286977564c578aa61069caa3ed23d6cfd42be9",
    },
    "high_school_macroeconomics": {
        "test": "110557f38307eed25cf7494267e3eb36d350d53ac3ebea164fe7e3d7307ed7b8",
        "validation": "34d48e7b6c62185cc4bbefa2f5b441e501fc28f3f64af7b0407f5170e8676914",
        "dev": "d09baf1e71ad08d3bfe28b434484e742c829b66ff9955a2f1ff74be752915021",
    },
    "high_school_mathematics": {
        "test": "a53e99b268f21af00426aad83826aef45ac0fa8d85656faf414e0ce8fe64921e",
        "validation": "2900f2a7561aefb2a413252ba959f82076903fca70bdd4b66047195aa92f20b9",
        "dev": "601a23b26efffaecf40de6907913a5d6feaf3a4445fa8e08fb92a69abdd51d6c",
    },
    "high_school_microeconomics": {
        "test": "2e3f76e37819067c6b8d9e190b56b4dfbc65d73b52fb82c9ea3b2258737fbb87",
        "validation": "d2b767b9bbcdd81e96b83baf84c213a1874c2ad7a35f9d646a1316e69679c4e6",
        "dev": "989f3f04211051550a8ce79cb058f732b47d5f2bd2c27a1fb7536d72aa97cafe",
    },
    "high_school_physics": {
        "test": "5a0308ef7d758f4032b3bd1eef74253f466d31d9920efc071c0ebf260dbdfd1c",
        "validation": "7746da8b909319f267c3e7406989bc7f9191e64bb4b6a0c731afc015d81b12f1",
        "dev": "addfa1b887d806dcc109bdfa70631fe49b18c5eaf91326a75b4830e1328ac338",
    },
    "high_school_psychology": {
        "test": "50eae064bd5b1791202104658a191f5af0b8da1b27b6d7ea28f1ff8533a32c8e",
        "validation": "0391dc794e20b46412f4f747f27c5b91c4dfa26181c067d77a82f18342983815",
        "dev": "c6fa53c0a62d02cf67e4aea11d5fa57c736175a5303b61e090f4357c5c1a123c",
    },
    "high_school_statistics": {
        "test": "433e40971ae37a52c87b7efb5e7791abdac619367a9ffeebe0d467e47fc15d75",
        "validation": "34e3b221cd930df1e3aa0fd3a2798777bf37bf67ed0ffe8ecf13fcfabbf1935a",
        "dev": "9e0e52ea53863aae51e9e3a3c5f16868e50126dcd8160230809c79d892fc2656",
    },
    "high_school_us_history": {
        "test": "611d30d1aefce563116f1162ab06eee3af72e922bf0717ca14a5981a149729d5",
        "validation": "7018fe31386d756a799a3ebb95b5472cf39954b4bbbfed8ffd9067d13b6aa8b1",
        "dev": "0b5ccd5d9c812af02b47cd9b0fe51dbe8b9bc136b4885c3db9bf61fab1322cea",
    },
    "high_school_world_history": {
        "test": "2d4f5730380386fa2af3167299ed6e14ef0c6a928bf5da2cd4d7da8188a3748f",
        "validation": "2ac22a5b4aeaa76b6e042600d21a9dc650000c1fe8718a8df8bde3cf5fea310e",
        "dev": "46106bfe417e66906738bbd3c6fcf18665ff72ce9a5837b75b8b0859a5d38cb1",
    },
    "human_aging": {
        "test": "041120ccb131b23fbfd03ddcb6c357159de0419a2fbce0df230cb4b497694505",
        "validation": "404cdd43fecaa47eb689fc8dc2a541001a604de3782af8bec77079a83c71d49c",
        "dev": "19781947a168666d43d782e547514f6e95af93eb94144005c6ffcc19aff42ad6",
    },
    "human_sexuality": {
        "test": "1c56c4a91bd60b6bb7da5ba8eb79b71d171dc1493983a8064d018b068177e337",
        "validation": "4d2c9ef0f5dbe67ed7b55c5dbf97ae30e95508962145db8e329f2688a853025f",
        "dev": "539ecf594f048402eb2a107831fc2f9847d3570aa238a5d809376ef955764b9e",
    },
    "international_law": {
        "test": "0e1c513856165780fdb5ce978ad671f70687e3f024f61f5dc468684aa0b6c4c0",
        "validation": "2481fe2e7747ca2307aa3eb17753ef67417012f21a6975bfddf4b5c3521aadf2",
        "dev": "6c0d36fce90b0c73071a527ff0355830ab7e0b9a6b37228bd05a9b190e950245",
    },
    "jurisprudence": {
        "test": "599dc671d0d110f9f58cf780657f8dd1dd0c28ef21936c1bd2c0588806b16a04",
        "validation": "0382026ba22fb825ae6b76f14664d1c0939c94a30ba6619d1875545a16ddac13",
        "dev": "b53f4ef9587d249b5c8d648d93abfb6d3c25e27e4033f3f9342c02d1f4cd1d3d",
    },
    "logical_fallacies": {
        "test": "1f37cfcdbe43b2d665effc9cd43350251d98e318a9328a356a3440374961f5c7",
        "validation": "74bdc0d4eacd4e15f055236eaf4fc9b0534a820f03ec3cdcbdfc316e07d391a9",
        "dev": "20e69c52e7e159215d4c22693f1a792d443a39431ef6ba1a55ee7904fd42e0e1",
    },
    "machine_learning": {
        "test": "799d5188beb8a6dbd6ebad3cdff08ffab0e7dbd80d171bc29fabe14f4c500479",
        "validation": "c477b95a32b9a41ebcf39bee5bd0b72b4cb7796b486dd10aeefe3c12e622ba9c",
        "dev": "9af0972040498fcffd191eb5a69d1962064c6004d3026bbe47f29bb9a3f54661",
    },
    "management": {
        "test": "8e3ef35df0e3bfa8dd0a2b946f2df08f8168496930cee4d2f3c769259b0b128c",
        "validation": "18bfe49dd4c7e1b9dc5b5c57319eca60a620fa1fbb8070e61180c09e974ea29a",
        "dev": "157e72b3f9521feeb0b77f9ae1be63a66d23cc3ef228f84b48634c303239183a",
    },
    "marketing": {
        "test": "9724d2ca3b4727a18d37c243fe89eaeac9fbaadee2c7d5be1f4e70bca2915958",
        "validation": "c624894bff01f665ae38699239725e10b574295027dffeef228d1816a4d8132b",
        "dev": "76e39abf0abdead71efdae1067a0b90b73ab9d7b779c8bb151a58bcfb3fc8b24",
    },
    "medical_genetics": {
        "test": "695ff55adc7714890eb077d74a18b94193dfa3c64ffc15029e869102cda9f529",
        "validation": "07b18b9d84cac747ba2c02ecde0001f0180b032d83c466d6849b6d5694d76efb",
        "dev": "d4473db8c5ce5761a4484300d65815cb8f4a200fc3a0c1a829a753b1722fd3d1",
    },
    "miscellaneous": {
        "test": "496a694e6e8021677e8153f14f707de7459ec12b529adb9b48770f26ac72bec5",
        "validation": "e1a0fccdee66a798d87a71ef9628577862e8b99d40781ccd3db78b6082f9dfbf",
        "dev": "45233db7ba471feefe2bb0b8faadb81535312da25c705f77485565c10bca9525",
    },
    "moral_disputes": {
        "test": "1f6cd3a2934f6c366dd627a7a5425fcf2d2ff49a744b137cca17dd81c004ac7b",
        "validation": "cf113d88566ecb183168f55ef68175a1543e27d194ee5705677e95ce4608e183",
        "dev": "ebd30ff59666234b18a6d95cac00e64a968e7d199720148249fef743189f448b",
    },
    "moral_scenarios": {
        "test": "9787e1acd022b8f1156bc3264552aedddaae3f531311f6a445ebaf5a7bf1bd11",
        "validation": "bbc37b0af25f0ce7fbca9a1f2b2343dd37334e0bcb81b529a4b65dcd5c2a61e9",
        "dev": "98ed2421aa017392de8aa14713dd00657c90da6e4d34460e3487f0742755a1ef",
    },
    "nutrition": {
        "test": "781a1ae08f61e9c40b92de583f59cb61187209dc4393e48fe4e1d49417232e5a",
        "validation": "2d2e45128e4f4832cbc50fdab57ca78ef08f1e84be01ca41b73950c8a61b13b8",
        "dev": "02db8259a125bb1031a3b9da8d74bf7fe539d82ea506042342938de65546dce1",
    },
    "philosophy": {
        "test": "a5cb9b5613a38c5bc652080f9f3981614ec7e737b5d6e84350377ac1dbb19f7f",
        "validation": "763c328546d7d0622a10919d93c5a5e9c2508f52e037a10f1530263277cc04b3",
        "dev": "bb9be44e0fd9c190c93ebef6b4a6dc908bc610c755791cf4b3536b04627565eb",
    },
    "prehistory": {
        "test": "bf6589d906ae28fb182fa96157976172f89ce1d7778a4b69bd690e56738aecd8",
        "validation": "820759156208f86a1d1de3a0cce32ea43ffec07bdd61416940d4310301b1740e",
        "dev": "ee3a5792862e48782635532164025ddfb25bdb0a237461fe6ee2cd7a5b767c71",
    },
    "professional_accounting": {
        "test": "1b9ee249bc295731122925fb0f0c350367998e9172e576d28f86cb647b8f3ceb",
        "validation": "861bb80b1e02af9b21276858357861b857e2cffb8fe45c06f347b88baa4400ab",
        "dev": "d497ea7e5bd2e954a7226541cbf34db0b58f67831ef8d83dc6923adace317ec8",
    },
    "professional_law": {
        "test": "e83123daedeeea0f93afa60d2a263677abc3c7bdee8a6b2a1a1c297243e6f412",
        "validation": "cdae630e301c9f392bd31de394991880a1cc156a2b495649d5d10f8088cb553b",
        "dev": "235f7ec4ad464142e8a16455dab021da5bffe5a9c563c8eb422716bc378a6cdd",
    },
    "professional_medicine": {
        "test": "edb97303a631e6075e06c17baf83f5e6b868675598bc3c00a405cfd26beeadb7",
        "validation": "b2c46952d0d5b9880bbdded036ed190dc03fed4125b1773cc0d04a45213858ef",
        "dev": "21d4c42e24ff201b97d168202e3733667876645bdf54dbf42e1f62a852e32a73",
    },
    "professional_psychology": {
        "test": "b07b25c2bfcd142874e5c14d4fbcc9569d2b7cfc8fc887e717f4b444ce983f04",
        "validation": "3750d2ba5f90bac2545fc8bc7061e5e3664ff29f19605812e2cdf5bacd26af27",
        "dev": "220641e600de8c0cf88469d9412b64fb68805eb4a0cf2942098bff835d0ac5a3",
    },
    "public_relations": {
        "test": "432b4af1d355efc3af7171c9cc5673eb93ee09a52295064eed969486ad96a42d",
        "validation": "fd87b6b8992ea5c23684885f2faf81bf892beccb127747636fe1e6f879591282",
        "dev": "52f0dc71dc8c04ae6b1455a71f5b2027b32dc635dd28daad1015c84dbe92fd14",
    },
    "security_studies": {
        "test": "f9544700aa6466d869769d69fa7606cf96ce35ab2b93e9def2053e6e4a015f42",
        "validation": "55a589147c13780c53caeed88b3164b9c728f136588642c6c0c37c697e3a27a2",
        "dev": "1230105ba8f40098701c4cd0f3863350d7f70bb580b76f00569d70536ecf9a90",
    },
    "sociology": {
        "test": "78ef457f0c6eecd0f41c6dfaa30ebc411b1712170af060fa7687bb71014b5925",
        "validation": "2f57e3ded263a808153b057929ed2065bf25c5f8c64c41f06c0ef45cd089d054",
        "dev": "296047677c21f96c2f0dd875b31c77b2978b2e95aefe561b686fa300dfcfb040",
    },
    "us_foreign_policy": {
        "test": "e1daed0ec84cd8ba3a92ae76e0cbd355a8cc072c0fa40592025ff70f0bb4f3b6",
        "validation": "e45dd62efc7688f1766c289a8f052a0063e0f426e74ecd3618b5bdf73115f253",
        "dev": "fac3751fc850a49b2e82c18b8600d1ceeba00c2966171f60155a15f7e138e395",
    },
    "virology": {
        "test": "e1a1fd4890acca19546378e8ee8842bf7753e49022c503ac5cfb2abd5bd143db",
        "validation": "881d701822a5513e8eb5281142c6b4463f2bfc7d8b1fd5adc55ff3ec2a198da0",
        "dev": "694d6862cc42281f640b546741fe2d1ec1083a7a17f12cc43591293c46a499f6",
    },
    "world_religions": {
        "test": "31fec2beaa7540a366f717970d092cfc9cb11cacd420675df2a3e7f91fbe7398",
        "validation": "61b561f5b5adf4d37e68e9e47a1d60961a16bc6e844926965fb2767b02d9468a",
        "dev": "b5d5a29906d6cdb3afa69917a57c4d292f74cefdf7b72144ad95bba80352bab4",
    },
}
